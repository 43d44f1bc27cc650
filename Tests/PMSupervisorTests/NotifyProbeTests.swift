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
        let socket = try NotifySocket.bind()
        let book = LogBook(LogDirectory(root: "/nonexistent"), reactor: reactor)
        let probe = ReadinessCheck.notify.probe(
            ProbeContext(
                reactor: reactor, capture: LogCapture(book.log(of: "web"), origin: .started),
                descriptor: socket.descriptor, user: getuid()))
        try send([String(repeating: "x", count: 8000)] + Array(repeating: "STATUS=busy\n", count: 9), to: socket.name)
        var isReady = false
        probe?.begin { isReady = true }
        var left: Int?
        var turns: UInt64 = 0
        // Timers come before descriptors in a turn: what is between these two was read in the turns between them, of which
        // there is one, or more when other tests keep the loop busy.
        reactor.after(.zero) { [reactor] in
            let begun = reactor.turn
            reactor.after(.zero) {
                turns = reactor.turn - begun
                var count = 0
                while NotifySocket.receive(socket.descriptor.raw) != nil { count += 1 }
                left = count
            }
        }
        while left == nil { await reactor.sleep(for: .milliseconds(1)) }
        #expect(left == max(0, 10 - 4 * Int(turns)), "\(turns) turns")
        try send(["READY=1\n"], to: socket.name)
        while !isReady { await reactor.sleep(for: .milliseconds(1)) }
        probe?.end()
    }

    /// Sends datagrams to an abstract name, written with an `@`.
    private func send(_ texts: [String], to name: String) throws {
        let sender = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue), 0)
        defer { close(sender) }
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: [0] + name.utf8.dropFirst()) }
        let length = socklen_t(MemoryLayout<sa_family_t>.size + name.utf8.count)
        for text in texts {
            let sent = withUnsafePointer(to: &address) { pointer in
                pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    sendto(sender, text, text.utf8.count, 0, $0, length)
                }
            }
            guard sent == text.utf8.count else { throw SystemError("sendto", name, code: errno) }
        }
    }
}
