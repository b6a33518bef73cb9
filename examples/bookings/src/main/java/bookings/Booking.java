package bookings;

import java.time.Duration;
import java.time.LocalDateTime;
import java.util.regex.Pattern;

/** A room that somebody has from one minute until, but not including, another. */
record Booking(String room, LocalDateTime from, LocalDateTime until, String who) {
    private static final Pattern ROOM = Pattern.compile("[a-z][a-z0-9-]{0,39}");
    private static final int WHO_CHARS = 80;
    private static final Duration LONGEST = Duration.ofDays(7);

    Booking {
        if (!ROOM.matcher(room).matches()) {
            throw new IllegalArgumentException("room: small letters, digits and dashes, at most 40");
        }
        if (!from.isBefore(until) || Duration.between(from, until).compareTo(LONGEST) > 0) {
            throw new IllegalArgumentException("until: after from, by at most " + LONGEST.toDays() + " days");
        }
        if (who.isBlank() || who.length() > WHO_CHARS || who.chars().anyMatch(Character::isISOControl)) {
            throw new IllegalArgumentException("who: from 1 to " + WHO_CHARS + " characters on one line");
        }
    }

    /** Whether both want one room at one time. */
    boolean clashesWith(Booking other) {
        return room.equals(other.room) && from.isBefore(other.until) && other.from.isBefore(until);
    }
}
