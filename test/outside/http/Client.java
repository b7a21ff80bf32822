import java.io.ByteArrayInputStream;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublisher;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/**
 * Asks the server at the first argument with the HttpClient of the JDK what served.ts has the answers to, and prints them as JSON. The second argument is the
 * version that it prefers: HTTP_2, its default, offers an upgrade with every request until one is answered; the third "expect" makes it wait for 100 Continue.
 */
public class Client {
    static final String JSON = "application/json";
    static HttpClient client;
    static String url;
    static boolean expect;

    static CompletableFuture<HttpResponse<String>> post(String path, BodyPublisher body, String type, String... more) {
        var request = HttpRequest.newBuilder(URI.create(url + path)).POST(body).header("Content-Type", type);
        if (expect) request.expectContinue(true);
        if (more.length > 0) request.headers(more);
        return client.sendAsync(request.build(), BodyHandlers.ofString(StandardCharsets.UTF_8));
    }

    static String quoted(String text) {
        return '"' + text.replace("\\", "\\\\").replace("\"", "\\\"") + '"';
    }

    static String pair(HttpResponse<String> answer) {
        return "[" + answer.statusCode() + "," + quoted(answer.body()) + "]";
    }

    static String pair(String path, String body, String type, String... more) {
        return pair(post(path, BodyPublishers.ofString(body), type, more).join());
    }

    public static void main(String[] args) {
        url = args[0];
        expect = args.length > 2;
        client = HttpClient.newBuilder().version(HttpClient.Version.valueOf(args[1])).build();
        var text = '"' + "y".repeat(3_000_000) + '"';
        Map<String, String> answers = new TreeMap<>();
        answers.put("echo", pair("/echo", "{\"a\":[1,\"ä水\",null]}", JSON));
        answers.put("denied", pair("/denied", "1", JSON));
        answers.put("missing", pair("/missing", "1", JSON));
        answers.put("nothing", pair("/nothing", "1", JSON));
        answers.put("hello", pair(client.sendAsync(HttpRequest.newBuilder(URI.create(url + "/hello?name=a%20%C3%BC")).build(), BodyHandlers.ofString()).join()));
        answers.put("author", pair("/author", "1", JSON, "Author", "me"));
        answers.put("suffix", pair("/echo", "[1]", "application/vnd.api+json"));
        answers.put("picture", "" + post("/echo", BodyPublishers.ofString("GIF89a"), "image/gif").join().statusCode());
        answers.put("malformed", "" + post("/echo", BodyPublishers.ofString("{"), JSON).join().statusCode());
        var large = post("/large", BodyPublishers.ofString("2000000"), JSON).join();
        answers.put("large", "[" + large.statusCode() + "," + large.body().length() + "]");
        answers.put("upload", pair("/length", text, JSON));
        var stream = BodyPublishers.ofInputStream(() -> new ByteArrayInputStream(text.getBytes(StandardCharsets.UTF_8)));
        answers.put("chunked", pair(post("/length", stream, JSON).join()));
        var many = IntStream.range(0, 30).mapToObj((i) -> post("/slow", BodyPublishers.ofString("" + i), JSON)).toList();
        answers.put("many", many.stream().map(CompletableFuture::join).map((answer) -> answer.statusCode() == 200 ? answer.body() : "" + answer.statusCode())
            .collect(Collectors.joining(",", "\"", "\"")));
        System.out.println(answers.entrySet().stream().map((entry) -> quoted(entry.getKey()) + ":" + entry.getValue()).collect(Collectors.joining(",", "{", "}")));
    }
}
