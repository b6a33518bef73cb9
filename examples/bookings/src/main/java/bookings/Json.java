package bookings;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParseException;
import com.google.gson.JsonParser;
import com.google.gson.JsonPrimitive;
import java.time.LocalDateTime;
import java.time.format.DateTimeParseException;
import java.util.List;

/** Bookings as JSON and back; what is no booking is an IllegalArgumentException that says why. */
final class Json {
    private Json() {}

    static Booking read(String text) {
        JsonElement parsed;
        try {
            parsed = JsonParser.parseString(text);
        } catch (JsonParseException error) {
            throw new IllegalArgumentException("this is no JSON", error);
        }
        if (!(parsed instanceof JsonObject members)) {
            throw new IllegalArgumentException("a booking is an object with room, from, until, who");
        }
        return new Booking(
                word(members, "room"), time(members, "from"), time(members, "until"), word(members, "who"));
    }

    static JsonObject of(Booking booking) {
        JsonObject members = new JsonObject();
        members.addProperty("room", booking.room());
        members.addProperty("from", booking.from().toString());
        members.addProperty("until", booking.until().toString());
        members.addProperty("who", booking.who());
        return members;
    }

    static JsonArray of(List<Booking> bookings) {
        JsonArray members = new JsonArray();
        bookings.forEach(booking -> members.add(of(booking)));
        return members;
    }

    private static String word(JsonObject members, String name) {
        if (members.get(name) instanceof JsonPrimitive value && value.isString()) {
            return value.getAsString();
        }
        throw new IllegalArgumentException(name + ": has to be a string");
    }

    private static LocalDateTime time(JsonObject members, String name) {
        try {
            return LocalDateTime.parse(word(members, name));
        } catch (DateTimeParseException error) {
            throw new IllegalArgumentException(name + ": a time like 2026-03-31T09:30", error);
        }
    }
}
