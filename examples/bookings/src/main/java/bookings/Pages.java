package bookings;

import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.Optional;

/** What the service answers, all of it JSON: its health, the bookings, and whether a room could be had. */
final class Pages {
    private static final int BODY_BYTES = 4096;

    private final Calendar calendar;

    Pages(Calendar calendar) {
        this.calendar = calendar;
    }

    void addTo(HttpServer server) {
        server.createContext("/", exchange -> answer(exchange, 404, problem("ask for /bookings, or post one there")));
        server.createContext("/health", this::health);
        server.createContext("/bookings", this::bookings);
    }

    private void health(HttpExchange exchange) throws IOException {
        JsonObject members = new JsonObject();
        members.addProperty("healthy", true);
        members.addProperty("bookings", calendar.size());
        answer(exchange, 200, members);
    }

    private void bookings(HttpExchange exchange) throws IOException {
        switch (exchange.getRequestMethod()) {
            case "GET" -> answer(exchange, 200, Json.of(calendar.bookings()));
            case "POST" -> book(exchange);
            default -> answer(exchange, 405, problem("get the bookings, or post one"));
        }
    }

    private void book(HttpExchange exchange) throws IOException {
        byte[] body = exchange.getRequestBody().readNBytes(BODY_BYTES);
        Booking booking;
        try {
            booking = Json.read(new String(body, StandardCharsets.UTF_8));
        } catch (IllegalArgumentException error) {
            answer(exchange, 400, problem(error.getMessage()));
            return;
        }
        Optional<Booking> earlier = calendar.add(booking);
        answer(exchange, earlier.isEmpty() ? 201 : 409, Json.of(earlier.orElse(booking)));
    }

    private static JsonObject problem(String message) {
        JsonObject members = new JsonObject();
        members.addProperty("problem", message);
        return members;
    }

    private static void answer(HttpExchange exchange, int status, JsonElement body) throws IOException {
        byte[] bytes = (body + "\n").getBytes(StandardCharsets.UTF_8);
        try (exchange) {
            exchange.getResponseHeaders().set("Content-Type", "application/json");
            exchange.sendResponseHeaders(status, bytes.length);
            exchange.getResponseBody().write(bytes);
        }
    }
}
