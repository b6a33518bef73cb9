package ledger;

import java.util.regex.Pattern;

/** One posting: so many cents go from one account to another. */
record Entry(String from, String to, long cents, String note) {
    private static final Pattern ACCOUNT = Pattern.compile("[a-z][a-z0-9-]{0,39}");
    private static final int NOTE_CHARS = 200;
    private static final long MOST_CENTS = 100_000_000_000L;

    Entry {
        if (!ACCOUNT.matcher(from).matches() || !ACCOUNT.matcher(to).matches() || from.equals(to)) {
            throw new IllegalArgumentException("from and to: two accounts, of small letters, digits and dashes");
        }
        if (cents < 1 || cents > MOST_CENTS) {
            throw new IllegalArgumentException("cents: from 1 to " + MOST_CENTS);
        }
        if (note.length() > NOTE_CHARS || note.chars().anyMatch(Character::isISOControl)) {
            throw new IllegalArgumentException("note: at most " + NOTE_CHARS + " characters on one line");
        }
    }

    /** The entry as a line of the book. */
    String line() {
        return String.join("\t", from, to, Long.toString(cents), note);
    }

    /** The entry on a line of the book. */
    static Entry of(String line) {
        String[] parts = line.split("\t", 4);
        if (parts.length != 4) {
            throw new IllegalArgumentException("a line has four parts: from, to, cents, note");
        }
        try {
            return new Entry(parts[0], parts[1], Long.parseLong(parts[2]), parts[3]);
        } catch (NumberFormatException error) {
            throw new IllegalArgumentException("cents: '" + parts[2] + "' is no number", error);
        }
    }
}
