import Foundation
import NIOPosix
import PMSystem
import PMTestSupport
import Testing

@testable import PMDocker

/// How long to wait for what must come: the links need a thread of Swift's pool, and tests beside them may hold all of those
/// for a minute on a loaded machine.
private let longestWaitMilliseconds: Int32 = 300_000

/// A daemon that gives each connection the same answer to its first line, and holds it open.
///
/// `@unchecked Sendable`: holds because `lock` guards what changes.
private final class FakeDaemon: @unchecked Sendable {
    private let listener: OwnedFD
    private let answer: String
    private let lock = NSLock()
    private var connections: [SharedFD] = []
    private var said: [String] = []

    init(_ path: String, answer: String) throws {
        listener = try UnixSocket.listen(path, mode: 0o600)
        self.answer = answer
        // It ends with its listener, which is shut down at the end of the test.
        Thread.detachNewThread { [self] in while serveOne() {} }
    }

    /// The first lines that came.
    var lines: [String] { lock.withLock { said } }

    func end() {
        shutdown(listener.raw, Int32(SHUT_RDWR))
        lock.withLock { connections = [] }
    }

    private func serveOne() -> Bool {
        var set = pollfd(fd: listener.raw, events: Int16(POLLIN), revents: 0)
        guard poll(&set, 1, longestWaitMilliseconds) > 0, let accepted = try? UnixSocket.accept(listener.raw) else {
            return false
        }
        let connection = SharedFD(accepted)
        var bytes = [UInt8](repeating: 0, count: 4096)
        set = pollfd(fd: connection.raw, events: Int16(POLLIN), revents: 0)
        poll(&set, 1, longestWaitMilliseconds)
        let count = recv(connection.raw, &bytes, bytes.count, 0)
        let line = String(decoding: bytes.prefix(max(0, count)), as: UTF8.self)
        lock.withLock {
            said.append(line)
            connections.append(connection)
        }
        // Who has gone needs no answer.
        try? Files.write((answer + "\n").utf8, to: connection.raw, named: "client")
        return true
    }
}

@Suite(.serialized) struct ContainerLinksTests {
    /// The links of a container to a daemon with that answer to `confine`.
    private func with(_ answer: String, _ body: (_ socket: String, FakeDaemon) async throws -> Void) async throws {
        var template = Array("/tmp/pm-docker-test-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else { throw SystemError.last("mkdtemp") }
        let path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
        let daemon = try FakeDaemon(path + "/pm.sock", answer: answer)
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        let links = try await ContainerLinks(daemon: path + "/pm.sock", in: path, channel: nil, on: group)
        let running = Task { await links.run() }
        defer {
            links.folder.remove()
            unlink(path + "/pm.sock")
            rmdir(path)
        }
        do {
            try await body(links.folder.path(of: .daemon), daemon)
        } catch {
            Issue.record(error)
        }
        running.cancel()
        await running.value
        daemon.end()
        try await group.shutdownGracefully()
    }

    /// What comes on a connection: bytes, or nothing at its end. On a thread of its own: a test that waits in its task keeps
    /// the links from running where other tests take all threads.
    private func read(_ socket: borrowing OwnedFD) async throws -> String {
        let descriptor = socket.raw
        return try await NIOThreadPool.singleton.runIfActive {
            var set = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
            guard poll(&set, 1, longestWaitMilliseconds) > 0 else { return "nothing in time" }
            var bytes = [UInt8](repeating: 0, count: 4096)
            let count = recv(descriptor, &bytes, bytes.count, 0)
            return String(decoding: bytes.prefix(max(0, count)), as: UTF8.self)
        }
    }

    @Test func `a daemon that does not know of containers is told nothing of theirs`() async throws {
        try await with(#"{"jsonrpc":"2.0","id":0,"error":{"message":"no such method"}}"#) { path, daemon in
            let client = try UnixSocket.connect(path)
            try Files.write("{\"method\":\"stop\"}\n".utf8, to: client.raw, named: path)
            let heard = try await read(client)
            #expect(heard == "")
            #expect(daemon.lines == [#"{"jsonrpc":"2.0","id":0,"method":"confine","params":[]}"# + "\n"])
        }
    }

    @Test func `a container has 64 connections, and the next one is closed`() async throws {
        try await with(#"{"jsonrpc":"2.0","id":0,"result":null,"error":null}"# + "\nhello") { path, _ in
            var clients: [SharedFD] = []
            for _ in 0..<64 {
                let client = try UnixSocket.connect(path)
                let heard = try await read(client)
                #expect(heard.hasPrefix("hello"))
                clients.append(SharedFD(client))
            }
            let next = try UnixSocket.connect(path)
            let heard = try await read(next)
            #expect(heard == "")
            _ = clients
        }
    }
}
