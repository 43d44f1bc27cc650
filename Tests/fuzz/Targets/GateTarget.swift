import JSON
import JSONRPC
import NIOHTTP1
import PMAPI

@testable import PMGateway

/// The gate of the gateway: the first line of a connection, in pieces of many sizes, and the head of a request of HTTP. The first
/// byte chooses which, the second the pieces or the version; the rest is the connection's bytes, or the head.
enum GateTarget {
    static func check(_ input: [UInt8]) throws(Finding) {
        guard input.count >= 2 else { return }
        if input[0] & 1 == 0 {
            try checkLine(Array(input[2...]), limit: Int(input[0]) * 4, piece: Int(input[1]) + 1)
        } else {
            try checkHead(Array(input[2...]), version: input[1] & 1 == 0 ? .http1_1 : .http1_0)
        }
    }

    // MARK: the first line

    private static func checkLine(_ bytes: [UInt8], limit: Int, piece: Int) throws(Finding) {
        let whole = verdict(bytes, limit, bytes.count + 1)
        for size in [1, piece] {
            try require(
                isAccepted(verdict(bytes, limit, size)) == isAccepted(whole),
                "a verdict does not depend on how the bytes are torn")
        }
        guard isAccepted(whole) else { return }
        let line = bytes.prefix { $0 != UInt8(ascii: "\n") }
        try require(line.count <= limit || line.count == bytes.count, "a line that is too long is refused")
        try require(isRequest(Array(line)), "only a request of JSON-RPC opens a connection")
    }

    /// The verdict on a connection that sends `bytes` and then no more.
    private static func verdict(_ bytes: [UInt8], _ limit: Int, _ piece: Int) -> FirstLine.Verdict {
        var line = FirstLine(place: "This is a fuzz target", limit: limit)
        var rest = bytes[...]
        while !rest.isEmpty {
            let verdict = line.received(rest.prefix(piece))
            guard verdict == .wait else { return verdict }
            rest = rest.dropFirst(piece)
        }
        return line.finish()
    }

    private static func isAccepted(_ verdict: FirstLine.Verdict) -> Bool { verdict == .accept }

    private static func isRequest(_ line: [UInt8]) -> Bool {
        guard let value = try? JSONValue(parsing: line) else { return false }  // no JSON is no request
        let first = value.array?.first ?? value
        return first["jsonrpc"] == "2.0" && first["method"]?.string != nil
    }

    // MARK: the head of a request

    /// A point of loopback without proof, the one that a page of another site would like to reach.
    private static func point() throws(Finding) -> WebAccess {
        WebAccess(
            try mustWork("a point of loopback can be read") { try NetworkPoint(word: "http://127.0.0.1:8080", in: "/") }
        )
    }

    private static func checkHead(_ bytes: [UInt8], version: HTTPVersion) throws(Finding) {
        let access = try point()
        let head = head(bytes, version)
        do throws(Refusal) {
            try access.check(head, isClientKnown: false)
        } catch {
            try require((400...599).contains(Int(error.status.code)), "a refusal has a status of an error")
            return
        }
        try checkAccepted(head)
    }

    /// A method, a target and fields, each on a line.
    private static func head(_ bytes: [UInt8], _ version: HTTPVersion) -> HTTPRequestHead {
        let lines = bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false).map {
            String(decoding: $0, as: UTF8.self)
        }
        var headers = HTTPHeaders()
        for line in lines.dropFirst(2) {
            let halves = line.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
            // The parser of HTTP lets no other names through.
            guard halves[0].utf8.allSatisfy({ $0 < 0x80 }) else { continue }
            headers.add(name: String(halves[0]), value: halves.count > 1 ? String(halves[1].drop { $0 == " " }) : "")
        }
        return HTTPRequestHead(
            version: version, method: HTTPMethod(rawValue: lines.first ?? ""), uri: lines.dropFirst().first ?? "",
            headers: headers)
    }

    private static func checkAccepted(_ head: HTTPRequestHead) throws(Finding) {
        let hosts = head.headers["host"]
        try require(hosts.count == 1 || (hosts.isEmpty && head.version == .http1_0), "a request has one host")
        try require(hosts.allSatisfy(isOwn), "a request names this machine")
        for origin in head.headers["origin"] {
            let scheme = origin.lowercased().hasPrefix("https://") ? "https://" : "http://"
            try require(
                origin.lowercased() == scheme + (hosts.first ?? "").lowercased(), "a page of another site is refused")
        }
        let lengths = head.headers["content-length"].count
        try require(
            lengths + head.headers["transfer-encoding"].count <= 1, "the end of a body is read in one way")
        try require(head.headers.count <= WebAccess.mostFields, "a head has at most so many fields")
        guard !head.asksForPlace else { return }
        guard let target = WebTarget(head.uri) else { throw Finding("a target that is accepted can be read") }
        try require(!target.parts.contains { $0 == "." || $0 == ".." }, "a path stays below its root")
        if let authority = target.authority { try require(isOwn(authority), "a target names this machine") }
    }

    /// The names of loopback, with or without a port and the dot that ends a name of DNS.
    private static func isOwn(_ host: String) -> Bool {
        let lower = host.lowercased()
        return ["localhost.", "localhost", "127.0.0.1.", "127.0.0.1", "[::1]"].contains { name in
            guard lower.hasPrefix(name) else { return false }
            let rest = lower.dropFirst(name.count)
            return rest.isEmpty || (rest.first == ":" && UInt16(rest.dropFirst()) != nil)
        }
    }
}
