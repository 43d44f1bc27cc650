import Glibc
import PMLogs
import PMModel
import PMSystem
import PMTestSupport
import Testing

@testable import PMSupervisor

@Suite struct `A service that says READY=1` {
    let reactor = TestLoop.reactor

    @Test @PMActor func `and anybody else who floods its socket is heard a few times a turn`() async throws {
        let socket = try NotifySocket.bind(in: "/tmp/pm-notify-probe-\(getpid())")
        defer { try? NotifySocket.remove(socket.folder) }  // a folder of a few bytes
        let book = LogRegistry(LogDirectory(root: "/nonexistent"), reactor: reactor)
        let probe = ReadinessCheck.notify.probe(
            ProbeContext(
                reactor: reactor, capture: LogCapture(book.log(of: "web"), origin: .started),
                descriptor: socket.descriptor, user: getuid(),
                exec: { _ in ConnectAttempt(HTTPTarget(host: "::1", port: 1, path: nil), reactor) },
                ask: { _ in ConnectAttempt(HTTPTarget(host: "::1", port: 1, path: nil), reactor) }))
        try send([String(repeating: "x", count: 8000)] + Array(repeating: "STATUS=busy\n", count: 9), to: socket.path)
        var isReady = false
        let begun = reactor.turn
        probe?.start { isReady = true }
        var left: Int?
        var turns: UInt64 = 0
        // Other tests may keep the loop busy until the timer is due.
        reactor.after(.zero) { [reactor] in
            turns = reactor.turn - begun
            var count = 0
            while NotifySocket.receive(socket.descriptor.raw) != nil { count += 1 }
            left = count
        }
        while left == nil { await reactor.sleep(for: .milliseconds(1)) }
        // The turn in which it began may have read, too.
        #expect(left ?? 0 >= max(0, 10 - 4 * Int(turns + 1)), "\(turns) turns")
        try send(["READY=1\n"], to: socket.path)
        while !isReady { await reactor.sleep(for: .milliseconds(1)) }
        probe?.close()
    }

    /// Sends datagrams to a path.
    private func send(_ texts: [String], to path: String) throws {
        let sender = try UnixSocket.connectDatagram(path)
        for text in texts {
            let sent = Glibc.send(sender.raw, text, text.utf8.count, 0)
            guard sent == text.utf8.count else { throw SystemError("send", path, code: errno) }
        }
    }
}
