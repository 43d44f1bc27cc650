import JSON
import PMRoutingSupport
import PMSystem
import PMTestSupport
import Testing

@testable import PMRouting

/// The client of a router alone.
@PMActor
private final class MemoryClient: @PMActor RoutingClient {
    private let link: MemoryLink

    init(_ link: MemoryLink) { self.link = link }

    func send(_ line: String) { link.write(line) }
    func json() throws -> JSONValue? { try link.next().map { try JSONValue(parsing: $0) } }
    func close() { link.close() }
}

/// The service of the contract, in memory.
@PMActor
private final class ContractService {
    private let link: MemoryLink
    private var notes = 0
    private var cancels = 0

    init(_ link: MemoryLink) {
        self.link = link
        link.onLine = { [unowned self] line in receive(line) }
    }

    private func receive(_ line: String) {
        guard let message = try? JSONValue(parsing: line) else { return }  // the router writes JSON alone
        let id = message["id"]?.text ?? ""
        switch message["method"]?.string {
        case "echo": say(id, "\"result\":\(message["params"]?[0]?.text ?? "null")")
        case "counts": say(id, "\"result\":[\(notes),\(cancels)]")
        case "note": notes += 1
        case "$/cancel": cancels += 1
        case "fail": say(id, #""error":{"statusCode":418,"message":"a teapot","extra":[1,2]}"#)
        case "begin": say(id, #""stream":true,"result":{}"#)
        case "pieces":
            say(id, #""stream":true,"result":{}"#)
            for piece in 1...2 { say(id, #""result":{"event":"data","isBuffer":false,"data":\#(piece)}"#) }
            say(id, #""result":{"event":"end"},"stream":true"#)
        default: break
        }
    }

    private func say(_ id: String, _ rest: String) { link.write("{\"jsonrpc\":\"2.0\",\"id\":\(id),\(rest)}") }
}

@PMActor
private struct MemoryBench: @PMActor RoutingBench {
    let rig: RouterRig
    let service: ContractService

    init(_ reactor: Reactor) throws {
        rig = RouterRig(reactor)
        service = ContractService(try rig.service("svc").link)
    }

    func client() throws -> any RoutingClient { MemoryClient(try rig.client().link) }
}

@Suite struct `The router alone` {
    private let reactor = TestLoop.reactor

    @Test(arguments: RoutingContract.allCases)
    @PMActor func `keeps what routing promises`(promise: RoutingContract) throws {
        let bench = try MemoryBench(reactor)
        try promise.check(bench)
        withExtendedLifetime(bench) {}
    }
}
