package ledger;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.stream.Collectors;

/** What the ledger answers: its balances, its health, and whether it took an entry. */
final class Pages {
    private static final int BODY_BYTES = 4096;
    private static final String TEXT = "text/plain; charset=utf-8";

    private final Book book;

    Pages(Book book) {
        this.book = book;
    }

    void addTo(HttpServer server) {
        server.createContext("/", exchange -> answer(exchange, 404, TEXT, "Ask for /balances, or post to /entries.\n"));
        server.createContext("/health", this::health);
        server.createContext("/balances", this::balances);
        server.createContext("/entries", this::entries);
    }

    private void health(HttpExchange exchange) throws IOException {
        answer(exchange, 200, "application/json", "{\"healthy\": true, \"entries\": " + book.size() + "}\n");
    }

    private void balances(HttpExchange exchange) throws IOException {
        // The names of accounts need no quoting: see Entry.
        String rows = book.balances().entrySet().stream().map(Pages::member).collect(Collectors.joining(", "));
        answer(exchange, 200, "application/json", "{" + rows + "}\n");
    }

    private static String member(Map.Entry<String, Long> balance) {
        return "\"" + balance.getKey() + "\": " + balance.getValue();
    }

    /** Takes one entry: a line with from, to, cents and note, parted by tabs. */
    private void entries(HttpExchange exchange) throws IOException {
        if (!exchange.getRequestMethod().equals("POST")) {
            answer(exchange, 405, TEXT, "Post a line: from, to, cents and note, parted by tabs.\n");
            return;
        }
        byte[] body = exchange.getRequestBody().readNBytes(BODY_BYTES);
        try {
            book.add(Entry.of(new String(body, StandardCharsets.UTF_8).stripTrailing()));
        } catch (IllegalArgumentException error) {
            answer(exchange, 400, TEXT, error.getMessage() + "\n");
            return;
        }
        answer(exchange, 201, TEXT, "kept\n");
    }

    private static void answer(HttpExchange exchange, int status, String type, String body) throws IOException {
        byte[] bytes = body.getBytes(StandardCharsets.UTF_8);
        try (exchange) {
            exchange.getResponseHeaders().set("Content-Type", type);
            exchange.sendResponseHeaders(status, bytes.length);
            exchange.getResponseBody().write(bytes);
        }
    }
}
