package bookings;

import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Path;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;

/** Books meeting rooms: who comes first has the room. */
public final class Main {
    private static final int THREADS = 4;
    private static final int GRACE_SECONDS = 2;

    private Main() {}

    /** Serve until the process is told to end. */
    public static void main(String[] words) throws IOException {
        int port = Integer.parseInt(System.getenv().getOrDefault("PORT", "8115"));
        Calendar calendar = new Calendar(Path.of("data", "bookings.jsonl"));
        HttpServer server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), port), 0);
        ExecutorService threads = Executors.newFixedThreadPool(THREADS);
        server.setExecutor(threads);
        new Pages(calendar).addTo(server);
        Runtime.getRuntime().addShutdownHook(new Thread(() -> {
            server.stop(GRACE_SECONDS);
            threads.shutdownNow();
            say("stopped");
        }));
        server.start();
        say(calendar.size() + " bookings, listening on http://127.0.0.1:" + port + "/");
    }

    private static void say(String message) {
        System.out.println(Instant.now().truncatedTo(ChronoUnit.MILLIS) + " INFO bookings " + message);
    }
}
