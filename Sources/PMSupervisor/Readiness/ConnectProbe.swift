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

/// Passes when a connection is accepted, or when a GET is answered with a status from 200 to 399.
///
/// The addresses of a host are tried one after the other.
@PMActor
final class ConnectAttempt: ProbeAttempt {
    private let target: HTTPTarget
    private let reactor: Reactor
    private var done: (@PMActor (ProbeResult) -> Void)?
    private var socket: SharedFD?
    private var timer: TimerID?
    private var head: [UInt8] = []
    private var interim = InterimAnswers()
    /// Addresses of the host in the order in which they are tried, and the one that is being tried.
    private let addresses: [String]
    private var turn = 0
    /// What the first address showed: that is the one that people know.
    private var firstFailure: String?

    init(_ target: HTTPTarget, _ reactor: Reactor) {
        self.target = target
        self.reactor = reactor
        addresses = LocalHost.addresses(of: target.host)
    }

    func start(_ done: @escaping @PMActor (ProbeResult) -> Void) {
        self.done = done
        // In a turn of its own, as each next try: the result never comes before this has returned.
        timer = reactor.after(.zero) { [weak self] in self?.connect() }
    }

    func cancel() {
        done = nil
        letGo()
    }

    private var place: String {
        let host = addresses[turn]
        return host.contains(":") ? "[\(host)]:\(target.port)" : "\(host):\(target.port)"
    }

    private func connect() {
        (head, interim) = ([], InterimAnswers())
        do throws(SystemError) {
            let socket = try InternetSocket.startConnecting(addresses[turn], target.port)
            try reactor.watch(socket.raw, .writable) { [weak self] _ in self?.connected() }
            self.socket = socket
        } catch {
            fail(code: error.code)
        }
    }

    private func fail(code: Int32) {
        let reason = SystemError("connect", place, code: code).reason
        fail("\(reason.prefix(1).lowercased())\(reason.dropFirst()) at \(place)")
    }

    private func connected() {
        guard let socket else { return }
        let code = InternetSocket.outcome(of: socket.raw)
        guard code == 0 else { return fail(code: code) }
        if target.path == nil { return finish(.passed) }
        // A fresh socket's buffer takes a request whole.
        guard Descriptors.write(target.request, to: socket.raw) == target.request.count else {
            return fail("the request cannot be sent to \(place)")
        }
        reactor.unwatch(socket.raw)
        do throws(SystemError) {
            try reactor.watch(socket.raw, .readable) { [weak self] _ in self?.receive() }
        } catch {
            fail(code: error.code)
        }
    }

    private func receive() {
        guard let socket else { return }
        switch Descriptors.read(socket.raw, limit: 1024) {
        case .nothing: return
        case .end: fail("GET \(path) got no answer at \(place)")
        case .bytes(let bytes):
            head += bytes
            switch interim.skip(in: &head) {
            case .incomplete: return
            case .tooMany: fail("GET \(path) got nothing but interim answers at \(place)")
            case .answer: judge()
            }
        }
    }

    private func judge() {
        // "HTTP/1.1 200"
        guard head.count >= 12 else { return }
        guard head.starts(with: Array("HTTP/1.".utf8)) else { return fail("\(place) does not speak HTTP") }
        let status = String(decoding: head[9..<12], as: UTF8.self)
        let first = head[9]
        guard first == UInt8(ascii: "2") || first == UInt8(ascii: "3") else {
            return fail("GET \(path) answered \(status)")
        }
        finish(.passed)
    }

    private var path: String { target.path ?? "/" }

    private func fail(_ text: String) {
        letGo()
        guard done != nil else { return }
        firstFailure = firstFailure ?? text
        guard turn + 1 < addresses.count else { return finish(.failed(firstFailure ?? text)) }
        turn += 1
        timer = reactor.after(.zero) { [weak self] in self?.connect() }
    }

    private func finish(_ result: ProbeResult) {
        let body = done
        cancel()
        body?(result)
    }

    private func letGo() {
        if let timer { reactor.cancel(timer) }
        timer = nil
        if let socket { reactor.unwatch(socket.raw) }
        socket = nil
    }
}
