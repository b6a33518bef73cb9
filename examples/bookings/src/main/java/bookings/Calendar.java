package bookings;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;

/** Who has which room when: one booking a line, in a file that only grows. No two of them clash. */
final class Calendar implements AutoCloseable {
    private final List<Booking> bookings = new ArrayList<>();
    private final FileChannel file;

    Calendar(Path path) throws IOException {
        // An agent makes the folder a link to where the data outlive the version; some JDKs refuse to make sure of one.
        if (!Files.isDirectory(path.getParent())) {
            Files.createDirectories(path.getParent());
        }
        file = FileChannel.open(path, StandardOpenOption.CREATE, StandardOpenOption.READ, StandardOpenOption.WRITE);
        String content = Files.readString(path);
        // A line without its end was cut off by a power cut, and nobody was told that the room is theirs.
        String whole = content.substring(0, content.lastIndexOf('\n') + 1);
        whole.lines().map(Json::read).forEach(bookings::add);
        file.truncate(whole.getBytes(StandardCharsets.UTF_8).length);
        file.position(file.size());
    }

    /** Keep a booking, durably; or else say which earlier one it clashes with. */
    synchronized Optional<Booking> add(Booking booking) throws IOException {
        Optional<Booking> earlier = bookings.stream().filter(booking::clashesWith).findFirst();
        if (earlier.isEmpty()) {
            ByteBuffer bytes = StandardCharsets.UTF_8.encode(Json.of(booking) + "\n");
            while (bytes.hasRemaining()) {
                file.write(bytes);
            }
            file.force(false);
            bookings.add(booking);
        }
        return earlier;
    }

    /** All bookings, by time and room. */
    synchronized List<Booking> bookings() {
        return bookings.stream().sorted(Comparator.comparing(Booking::from).thenComparing(Booking::room)).toList();
    }

    synchronized int size() {
        return bookings.size();
    }

    @Override
    public synchronized void close() throws IOException {
        file.close();
    }
}
