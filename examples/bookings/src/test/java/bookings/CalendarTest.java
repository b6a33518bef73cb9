package bookings;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.LocalDateTime;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class CalendarTest {
    private static final Booking MORNING = booking("attic", 9, 11);

    @TempDir
    Path folder;

    private static Booking booking(String room, int from, int until) {
        LocalDateTime day = LocalDateTime.of(2026, 3, 31, 0, 0);
        return new Booking(room, day.withHour(from), day.withHour(until), "Ada");
    }

    /** Whoever comes second is told who was first; the next hour and the next room are free. */
    @Test
    void oneRoomIsNotGivenTwice() throws IOException {
        try (Calendar calendar = new Calendar(folder.resolve("bookings.jsonl"))) {
            assertEquals(Optional.empty(), calendar.add(MORNING));
            assertEquals(Optional.of(MORNING), calendar.add(booking("attic", 10, 12)));
            assertEquals(Optional.empty(), calendar.add(booking("attic", 11, 12)));
            assertEquals(Optional.empty(), calendar.add(booking("cellar", 9, 11)));
            assertEquals(3, calendar.size());
        }
    }

    /** What was kept is there after a restart; the half of a line that a power cut left is not. */
    @Test
    void aRestartLosesNothing() throws IOException {
        Path path = folder.resolve("bookings.jsonl");
        try (Calendar calendar = new Calendar(path)) {
            calendar.add(MORNING);
        }
        Files.writeString(path, "{\"room\": \"cel", StandardOpenOption.APPEND);
        try (Calendar calendar = new Calendar(path)) {
            assertEquals(List.of(MORNING), calendar.bookings());
        }
        assertEquals(Json.of(MORNING) + "\n", Files.readString(path));
    }

    /** Not JSON, not an object, a part of another type, no time, an end before its start. */
    @Test
    void whatIsNoBookingIsRefused() {
        String good = Json.of(MORNING).toString();
        for (String bad : List.of("", "[", "[]", good.replace("\"Ada\"", "7"), good.replace("T09:00", ""),
                good.replace("T11", "T08"))) {
            assertThrows(IllegalArgumentException.class, () -> Json.read(bad), bad);
        }
        assertEquals(MORNING, Json.read(good));
    }
}
