public import JSON
import Testing

/// A client of a router or a daemon.
public protocol RoutingClient {
    /// Sends a line.
    func send(_ line: String) throws
    /// The next line as JSON; nil when none comes.
    func json() throws -> JSONValue?
    /// Leaves.
    func close()
}

/// A router or a daemon with one service, `svc`, which behaves as `RoutingContract` describes.
public protocol RoutingBench {
    /// A client that has just connected.
    func client() throws -> any RoutingClient
}

/// Promises of routing, checked in one body for the router alone and for a daemon.
///
/// The service has the commands `echo` (its first argument), `never` (no answer), `pieces` (a stream of two), `begin`
/// (a stream that does not end), `fail` (the error 418), `note` (counts), `counts` (`[notes, cancels]`).
public enum RoutingContract: String, CaseIterable, Sendable {
    case idsComeBackByteForByte
    case errorsPassUnchanged
    case streamsPassToTheirEnd
    case cancelledCallIsAnsweredAtOnce
    case cancelledStreamEnds
    case notificationIsNotAnswered
    case unknownMethodIsRefused
    case callsOfOneThatLeavesAreCancelled
    case batchIsAnsweredOneByOne
    case equalIDsOfTwoClientsAreTwoCalls
    case onlyTheDaemonSpeaksOfRestarts
    case answerToNothingIsRefusedByItsID
    case proxiedClientSpeaksWithTheService

    /// Checks one promise.
    public func check(_ bench: some RoutingBench) throws {
        let client = try bench.client()
        defer { client.close() }
        switch self {
        case .idsComeBackByteForByte: try checkIDs(client)
        case .errorsPassUnchanged: try checkError(client)
        case .streamsPassToTheirEnd: try checkStream(client)
        case .cancelledCallIsAnsweredAtOnce: try checkCancel(client)
        case .cancelledStreamEnds: try checkCancelledStream(client)
        case .notificationIsNotAnswered: try checkNotification(client)
        case .unknownMethodIsRefused: try checkUnknown(client)
        case .callsOfOneThatLeavesAreCancelled: try checkLeaving(client, bench)
        case .batchIsAnsweredOneByOne: try checkBatch(client)
        case .equalIDsOfTwoClientsAreTwoCalls: try checkEqualIDs(client, bench)
        case .onlyTheDaemonSpeaksOfRestarts: try checkRestarted(client)
        case .answerToNothingIsRefusedByItsID: try checkStrayAnswer(client)
        case .proxiedClientSpeaksWithTheService: try checkProxy(client)
        }
    }

    // MARK: messages

    private static func request(_ id: String, _ method: String, _ params: String = "[]") -> String {
        #"{"jsonrpc":"2.0","id":\#(id),"method":"\#(method)","params":\#(params)}"#
    }

    private static func signal(_ name: String, _ id: String) -> String {
        #"{"jsonrpc":"2.0","method":"\#(name)","params":[\#(id)]}"#
    }

    private func counts(_ client: any RoutingClient) throws -> (notes: Int, cancels: Int) {
        try client.send(Self.request("\"counts\"", "svc.counts"))
        let reply = try client.json()
        #expect(reply?["id"] == "counts")
        return (reply?["result"]?[0]?.int ?? -1, reply?["result"]?[1]?.int ?? -1)
    }

    // MARK: promises

    private func checkIDs(_ client: any RoutingClient) throws {
        for id in ["7", "7.0", "\"7\"", "-1", "\"é\"", "\"\(String(repeating: "i", count: 60))\""] {
            try client.send(Self.request(id, "svc.echo", "[\(id)]"))
            let reply = try client.json()
            #expect(reply?["result"] != nil && reply?["result"] == reply?["id"], "\(id)")
        }
    }

    private func checkError(_ client: any RoutingClient) throws {
        try client.send(Self.request("1", "svc.fail"))
        let error = try client.json()?["error"]
        #expect(error?["statusCode"] == 418 && error?["message"] == "a teapot" && error?["extra"] == [1, 2])
    }

    private func checkStream(_ client: any RoutingClient) throws {
        try client.send(Self.request("1", "svc.pieces"))
        #expect(try client.json()?["stream"] == true)
        for piece in 1...2 { #expect(try client.json()?["result"]?["data"]?.int == piece) }
        let last = try client.json()
        #expect(last?["result"]?["event"] == "end" && last?["stream"] == true && last?["id"] == 1)
    }

    private func checkCancel(_ client: any RoutingClient) throws {
        let before = try counts(client).cancels
        try client.send(Self.request("1", "svc.never"))
        try client.send(Self.signal("$/cancel", "1"))
        let reply = try client.json()
        #expect(reply?["id"] == 1 && reply?["error"]?["statusCode"] == 499)
        #expect(reply?["error"]?["code"] == "CANCELLED")
        // It is answered: there is nothing to cancel.
        try client.send(Self.signal("$/cancel", "1"))
        #expect(try counts(client).cancels == before + 1)
    }

    private func checkCancelledStream(_ client: any RoutingClient) throws {
        try client.send(Self.request("1", "svc.begin"))
        #expect(try client.json()?["stream"] == true)
        try client.send(Self.signal("$/cancel", "1"))
        #expect(try client.json()?["error"]?["statusCode"] == 499)
    }

    private func checkNotification(_ client: any RoutingClient) throws {
        let before = try counts(client).notes
        try client.send(#"{"jsonrpc":"2.0","method":"svc.note","params":[]}"#)
        try client.send(#"{"jsonrpc":"2.0","id":null,"method":"svc.note","params":[]}"#)
        #expect(try counts(client).notes == before + 2)
    }

    private func checkUnknown(_ client: any RoutingClient) throws {
        for method in ["none", "none.at.all", "svc", "$/cancel"] {
            try client.send(Self.request("1", method))
            let reply = try client.json()
            #expect(reply?["id"] == 1 && reply?["error"] != nil, "\(method): \(reply?.text ?? "nothing")")
        }
    }

    private func checkLeaving(_ client: any RoutingClient, _ bench: some RoutingBench) throws {
        let before = try counts(client).cancels
        let leaving = try bench.client()
        for id in 1...10 { try leaving.send(Self.request("\(id)", "svc.never")) }
        try leaving.send(Self.request("0", "svc.echo", "[1]"))
        #expect(try leaving.json()?["result"] == 1)
        leaving.close()
        var seen = before
        for _ in 0..<100_000 where seen < before + 10 { seen = try counts(client).cancels }
        #expect(seen == before + 10)
    }

    private func checkBatch(_ client: any RoutingClient) throws {
        let elements = (1...5).map { Self.request("\($0)", "svc.echo", "[\($0)]") } + ["7"]
        try client.send("[\(elements.joined(separator: ","))]")
        var results: [Int] = []
        var refusals = 0
        for _ in 0..<6 {
            let reply = try client.json()
            if let result = reply?["result"]?.int { results.append(result) } else { refusals += 1 }
        }
        #expect(results == [1, 2, 3, 4, 5] && refusals == 1)
    }

    private func checkEqualIDs(_ client: any RoutingClient, _ bench: some RoutingBench) throws {
        let other = try bench.client()
        defer { other.close() }
        try client.send(Self.request("1", "svc.never"))
        try other.send(Self.request("1", "svc.never"))
        try other.send(Self.signal("$/cancel", "1"))
        #expect(try other.json()?["error"]?["statusCode"] == 499)
        try client.send(Self.signal("$/cancel", "1"))
        #expect(try client.json()?["error"]?["statusCode"] == 499)
    }

    private func checkRestarted(_ client: any RoutingClient) throws {
        try client.send(Self.request("1", "svc.$restarted"))
        #expect(try client.json()?["error"]?["code"] == -32601)
    }

    private func checkStrayAnswer(_ client: any RoutingClient) throws {
        try client.send(#"{"jsonrpc":"2.0","id":4294967399,"result":1}"#)
        let reply = try client.json()
        #expect(reply?["error"]?["code"] == -32600 && reply?["id"]?.int == 4_294_967_399)
        // An error is never answered by one.
        try client.send(#"{"jsonrpc":"2.0","id":7,"error":{"message":"no"}}"#)
        try client.send(Self.request("2", "svc.echo", "[2]"))
        #expect(try client.json()?["result"] == 2)
    }

    private func checkProxy(_ client: any RoutingClient) throws {
        try client.send(Self.request("1", "proxy", "[\"svc\"]"))
        #expect(try client.json()?["error"]?.isNull == true)
        try client.send(Self.request("1", "echo", "[3]"))
        #expect(try client.json()?["result"] == 3)
        try client.send(Self.request("2", "never"))
        try client.send(Self.signal("$/cancel", "2"))
        #expect(try client.json()?["error"]?["statusCode"] == 499)
    }
}
