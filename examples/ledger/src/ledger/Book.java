package ledger;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Map;
import java.util.TreeMap;

/** All entries, in a file that only grows, and what they come to for each account. */
final class Book implements AutoCloseable {
    private final Map<String, Long> balances = new TreeMap<>();
    private final FileChannel file;
    private int count;

    Book(Path path) throws IOException {
        // An agent makes the folder a link to where the data outlive the version; some JDKs refuse to make sure of one.
        if (!Files.isDirectory(path.getParent())) {
            Files.createDirectories(path.getParent());
        }
        file = FileChannel.open(path, StandardOpenOption.CREATE, StandardOpenOption.READ, StandardOpenOption.WRITE);
        String content = Files.readString(path);
        // A line without its end was cut off by a power cut, and nobody was told that it was kept.
        int whole = content.lastIndexOf('\n') + 1;
        content.substring(0, whole).lines().map(Entry::of).forEach(this::count);
        file.truncate(content.substring(0, whole).getBytes(StandardCharsets.UTF_8).length);
        file.position(file.size());
    }

    /** Keep an entry, durably. */
    synchronized void add(Entry entry) throws IOException {
        ByteBuffer bytes = StandardCharsets.UTF_8.encode(entry.line() + "\n");
        while (bytes.hasRemaining()) {
            file.write(bytes);
        }
        file.force(false);
        count(entry);
    }

    private void count(Entry entry) {
        balances.merge(entry.from(), -entry.cents(), Math::addExact);
        balances.merge(entry.to(), entry.cents(), Math::addExact);
        count++;
    }

    /** The balance of each account in cents; together they are always zero. */
    synchronized Map<String, Long> balances() {
        return new TreeMap<>(balances);
    }

    synchronized int size() {
        return count;
    }

    @Override
    public synchronized void close() throws IOException {
        file.close();
    }
}
