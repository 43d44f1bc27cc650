import JSON
import PMTestSupport
import Testing

/// A client of the daemon.
private struct SocketClient: RoutingClient {
    let client: LineClient

    func send(_ line: String) throws { try client.send(line) }
    func json() throws -> JSONValue? { client.json() }
    func close() { client.close() }
}

private struct DaemonBench: RoutingBench {
    let project: TestProject

    func client() throws -> any RoutingClient { SocketClient(client: try project.client()) }
}

@Suite(.serialized) struct `Routing by a daemon` {
    @Test func `keeps what routing promises`() async throws {
        try await ContractService.with { project in
            for promise in RoutingContract.allCases { try promise.check(DaemonBench(project: project)) }
        }
    }

    @Test func `keeps it after an upgrade`() async throws {
        try await ContractService.with { project in
            try project.must("upgrade")
            for promise in RoutingContract.allCases { try promise.check(DaemonBench(project: project)) }
        }
    }
}
