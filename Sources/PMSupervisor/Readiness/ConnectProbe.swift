import PMModel
import PMSystem

/// Address and request of a probe.
struct HTTPTarget: Equatable {
    let host: String
    let port: UInt16
    /// Path for GET; nil: an accepted connection is enough.
    let path: String?

    init(host: String, port: UInt16, path: String?) {
        self.host = host
        self.port = port
        self.path = path
    }

    /// Takes an `http://host[:port][/path]` URL apart; nil for anything else.
    init?(url: String) {
        guard url.hasPrefix("http://") else { return nil }
        let rest = url.dropFirst("http://".count)
        let authority = rest.prefix { $0 != "/" && $0 != "?" }
        let tail = String(rest.dropFirst(authority.count))
        path = tail.hasPrefix("/") ? tail : "/" + tail
        let (name, number) = Self.split(authority)
        guard !name.isEmpty, let port = number.isEmpty ? 80 : UInt16(number) else { return nil }
        host = name
        self.port = port
    }

    /// `[::1]:80` and `host:80` into host and port text.
    private static func split(_ authority: Substring) -> (String, Substring) {
        if authority.hasPrefix("["), let end = authority.firstIndex(of: "]") {
            let name = authority[authority.index(after: authority.startIndex)..<end]
            return (String(name), authority[end...].dropFirst().drop { $0 == ":" })
        }
        guard let colon = authority.lastIndex(of: ":") else { return (String(authority), "") }
        return (String(authority[..<colon]), authority[authority.index(after: colon)...])
    }

    var request: [UInt8] {
        let name = host.contains(":") ? "[\(host)]" : host
        return Array(
            "GET \(path ?? "/") HTTP/1.1\r\nHost: \(name):\(port)\r\nUser-Agent: pm\r\nConnection: close\r\n\r\n".utf8)
    }
}

/// Ready when a connection is accepted, or when a GET is answered with a status from 200 to 399.
///
/// Tries again with growing pauses from 10 ms to half a second; a try ends after five seconds.
@PMActor
final class ConnectProbe: ReadinessProbe {
    private let target: HTTPTarget
    private let reactor: Reactor
    private var onReady: (@PMActor () -> Void)?
    private var socket: SharedFD?
    private var timer: TimerID?
    private var pause = Duration.milliseconds(10)
    private var head: [UInt8] = []
    /// Addresses of the host in the order in which they are tried, and the one of the current try.
    private let addresses: [String]
    private var turn = 0
    private static let longestPause = Duration.milliseconds(500)
    private static let attemptTimeout = Duration.seconds(5)

    init(_ target: HTTPTarget, _ reactor: Reactor) {
        self.target = target
        self.reactor = reactor
        addresses = LocalHost.addresses(of: target.host)
    }

    func begin(_ onReady: @escaping @PMActor () -> Void) {
        self.onReady = onReady
        attempt()
    }

    func end() {
        onReady = nil
        letGo()
    }

    private func attempt() {
        head = []
        do throws(SystemError) {
            let socket = try InternetSocket.startConnecting(addresses[turn], target.port)
            try reactor.watch(socket.raw, .writable) { [weak self] _ in self?.connected() }
            self.socket = socket
            timer = reactor.after(Self.attemptTimeout) { [weak self] in self?.retry() }
        } catch {
            // The missing part may exist at the next try; at the deadline the unit is not ready.
            retry()
        }
    }

    private func connected() {
        guard let socket, InternetSocket.outcome(of: socket.raw) == 0 else { return retry() }
        if target.path == nil { return succeed() }
        // A fresh socket's buffer takes a request whole.
        guard Descriptors.write(target.request, to: socket.raw) == target.request.count else { return retry() }
        reactor.unwatch(socket.raw)
        do throws(SystemError) {
            try reactor.watch(socket.raw, .readable) { [weak self] _ in self?.receive() }
        } catch {
            // As above.
            retry()
        }
    }

    private func receive() {
        guard let socket else { return }
        switch Descriptors.read(socket.raw, limit: 1024) {
        case .nothing: return
        case .end: retry()
        case .bytes(let bytes):
            head += bytes
            // "HTTP/1.1 200"
            guard head.count >= 12 else { return }
            let isHTTP = head.starts(with: Array("HTTP/1.".utf8))
            let first = head[9]
            if isHTTP && (first == UInt8(ascii: "2") || first == UInt8(ascii: "3")) { succeed() } else { retry() }
        }
    }

    private func succeed() {
        let body = onReady
        end()
        body?()
    }

    private func retry() {
        letGo()
        guard onReady != nil else { return }
        turn = (turn + 1) % addresses.count
        // The second address of a host at once; a pause follows the last one.
        guard turn == 0 else { return timer = reactor.after(.zero) { [weak self] in self?.attempt() } }
        timer = reactor.after(pause) { [weak self] in self?.attempt() }
        pause = min(pause * 2, Self.longestPause)
    }

    private func letGo() {
        if let timer { reactor.cancel(timer) }
        timer = nil
        if let socket { reactor.unwatch(socket.raw) }
        socket = nil
    }
}
