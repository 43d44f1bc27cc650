import Glibc
import PMClient
import PMSystem

/// A daemon that does what a test tells it, on a real unix socket in a directory of its own.
final class FakeDaemon {
    let directory: String
    let socket: String
    private let listener: OwnedFD

    init() throws {
        directory = try makeTemporaryDirectory()
        socket = directory + "/pm.sock"
        listener = try UnixSocket.listen(socket, mode: 0o600)
    }

    deinit { removeTree(directory) }

    /// A connected client and the daemon's end of its connection.
    func connect() throws -> (client: DaemonClient, peer: FakePeer) {
        let client = try DaemonClient.connect(to: SocketAddress(path: socket))
        guard let accepted = try UnixSocket.accept(listener.raw) else { throw SystemError("accept", socket, code: 0) }
        return (client, FakePeer(SharedFD(accepted)))
    }
}

/// The daemon's end of a connection.
struct FakePeer: Sendable {
    let socket: SharedFD

    init(_ socket: SharedFD) { self.socket = socket }

    /// Sends bytes, waiting for room.
    func send(_ text: String) {
        let bytes = Array(text.utf8)
        var done = 0
        while done < bytes.count {
            let count = bytes.withUnsafeBytes {
                Glibc.send(socket.raw, $0.baseAddress.map { $0 + done }, bytes.count - done, Int32(MSG_NOSIGNAL))
            }
            if count > 0 {
                done += count
            } else {
                var set = pollfd(fd: socket.raw, events: Int16(POLLOUT), revents: 0)
                poll(&set, 1, 10_000)
                if set.revents & Int16(POLLERR | POLLHUP) != 0 { return }
            }
        }
    }

    /// Sends a line.
    func line(_ text: String) { send(text + "\n") }

    /// What has arrived, at least one byte of it.
    func received() -> String {
        var set = pollfd(fd: socket.raw, events: Int16(POLLIN), revents: 0)
        poll(&set, 1, 10_000)
        var bytes = [UInt8](repeating: 0, count: 65_536)
        let count = recv(socket.raw, &bytes, bytes.count, 0)
        return String(decoding: bytes[..<max(0, count)], as: UTF8.self)
    }

    /// Ends sending, or the whole connection.
    func close(_ how: Int = Int(SHUT_RDWR)) { shutdown(socket.raw, Int32(how)) }
}

/// A thread for what must happen while a blocking call waits.
///
/// `@unchecked Sendable`: holds because the closure is handed to the thread once, before it starts.
final class BackgroundThread: @unchecked Sendable {
    private var thread = pthread_t()
    private let body: () -> Void

    init(_ body: @escaping @Sendable () -> Void) {
        self.body = body
        let result = pthread_create(
            &thread, nil,
            { argument in
                guard let argument else { return nil }
                Unmanaged<BackgroundThread>.fromOpaque(argument).takeRetainedValue().body()
                return nil
            }, Unmanaged.passRetained(self).toOpaque())
        precondition(result == 0, "no thread for the test")
    }

    /// Waits for its end.
    func join() { pthread_join(thread, nil) }
}

func makeTemporaryDirectory() throws -> String {
    var template = Array("/tmp/pm-client-XXXXXX".utf8CString)
    guard mkdtemp(&template) != nil else { throw SystemError.last("mkdtemp") }
    return String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
}

/// Removes a directory with what is in it.
func removeTree(_ path: String) {
    // A test leaves nothing behind; what it never made is no failure.
    for name in (try? Files.list(path)) ?? [] {
        let child = "\(path)/\(name)"
        if unlink(child) != 0 { removeTree(child) }
    }
    rmdir(path)
}
