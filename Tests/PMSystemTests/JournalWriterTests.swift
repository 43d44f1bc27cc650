import Glibc
import PMModel
import PMSystem
import PMTestSupport
import Testing

/// journald's datagram socket, served by the test.
private final class DatagramSocket {
    let path: String
    private var socket: SharedFD?

    init() throws {
        var template = Array("/tmp/pm-journal-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else { throw SystemError.last("mkdtemp") }
        path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self) + "/socket"
    }

    deinit {
        unlink(path)
        rmdir(String(path.dropLast("/socket".count)))
    }

    func listen() throws {
        unlink(path)
        let made = SharedFD(owning: Glibc.socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue) | O_CLOEXEC | O_NONBLOCK, 0))
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8) }
        let size = socklen_t(MemoryLayout<sockaddr_un>.size)
        let result = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { bind(made.raw, $0, size) }
        }
        guard result == 0 else { throw SystemError.last("bind", path) }
        socket = made
    }

    func close() { socket = nil }

    /// The messages that wait.
    func receive() -> [String] {
        var messages: [String] = []
        var buffer = [UInt8](repeating: 0, count: 1 << 17)
        while let socket {
            let count = recv(socket.raw, &buffer, buffer.count, 0)
            if count < 0 { break }
            messages.append(String(decoding: buffer[..<count].prefix { $0 != 10 }, as: UTF8.self))
        }
        return messages
    }
}

/// What was told.
@PMActor
private final class Told {
    var texts: [String] = []
}

@Suite(.serialized) struct JournalWriterTests {
    private let reactor = TestLoop.reactor

    @Test func `an entry has its fields as journald wants them`() {
        var entry = JournalEntry("up", .error)
        entry.add("PM_INSTANCE", "web")
        entry.add("TEXT", "a\nb")
        let size: [UInt8] = [3, 0, 0, 0, 0, 0, 0, 0]
        #expect(
            entry.bytes == Array("MESSAGE=up\nPRIORITY=3\nPM_INSTANCE=web\nTEXT\n".utf8) + size + Array("a\nb\n".utf8))
    }

    @Test @PMActor func `entries wait in order for room in the socket, and none is lost`() async throws {
        let journald = try DatagramSocket()
        try journald.listen()
        let writer = JournalWriter(reactor: reactor, path: journald.path)
        let sent = (0..<3000).map { "MESSAGE=\($0)" }
        for number in sent.indices { writer.send(JournalEntry("\(number)", .information)) }
        var received: [String] = []
        while received.count < sent.count {
            received += journald.receive()
            await reactor.sleep(for: .milliseconds(1))
        }
        #expect(received == sent && writer.lost == 0)
        writer.close()
    }

    @Test @PMActor func `a journald that comes back gets what waited, and the number of what was lost`() async throws {
        let journald = try DatagramSocket()
        let told = Told()
        let writer = JournalWriter(reactor: reactor, path: journald.path, limit: 1000) { told.texts.append($0) }
        for number in 0..<100 { writer.send(JournalEntry("\(number)", .information)) }
        let lost = writer.lost
        #expect(lost > 0 && lost < 100 && told.texts.count == 1)
        try journald.listen()
        var received: [String] = []
        while received.count < 101 - lost {
            received += journald.receive()
            await reactor.sleep(for: .milliseconds(5))
        }
        #expect(received.dropLast() == (lost..<100).map { "MESSAGE=\($0)" })
        #expect(received.last == "MESSAGE=\(lost) entries of pm were lost: journald took nothing")
        #expect(told.texts.count == 2 && writer.lost == lost)
        // One that was replaced: the socket is another, and nothing is lost.
        journald.close()
        try journald.listen()
        // A process of another test that has not executed its program yet holds the old socket for a moment.
        received = []
        while received.isEmpty {
            writer.send(JournalEntry("again", .information))
            received = journald.receive()
            // Where the old socket is full, the writer tries again in a turn of its own.
            await reactor.sleep(for: .milliseconds(5))
        }
        #expect(received.allSatisfy { $0 == "MESSAGE=again" })
        writer.close()
    }

    @Test @PMActor func `an entry that is too long for the socket is counted, and what follows it goes`() async throws {
        let journald = try DatagramSocket()
        try journald.listen()
        let writer = JournalWriter(reactor: reactor, path: journald.path, limit: 8 << 20)
        writer.send(JournalEntry(String(repeating: "x", count: 4 << 20), .information))
        writer.send(JournalEntry("short", .information))
        #expect(writer.lost == 1 && journald.receive().contains("MESSAGE=short"))
        writer.close()
    }
}
