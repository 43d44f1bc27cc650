import PMLogs
import PMModel
import PMSystem

/// Watches one incarnation until it is ready.
@PMActor
protocol ReadinessProbe: AnyObject {
    /// Watches; `onReady` is called at most once.
    func start(_ onReady: @escaping @PMActor () -> Void)
    /// Stops watching; `onReady` is not called any more.
    func end()
    /// The incarnation has ended, and nothing is read any more.
    func close()
    /// The service's own status text.
    var statusText: String? { get }
    /// What the last attempt of a check saw that did not pass.
    var seen: String? { get }
}

extension ReadinessProbe {
    func close() { end() }
    var statusText: String? { nil }
    var seen: String? { nil }
}

/// Dependencies of probes.
@PMActor
struct ProbeContext {
    let reactor: Reactor
    /// Reads the incarnation's output.
    let capture: LogCapture
    /// The daemon's end of the descriptor, socket or channel that the check reads, if it has one.
    let descriptor: SharedFD?
    /// The user the incarnation runs as.
    let user: UInt32
    /// Makes an attempt of a check that is a program with these arguments.
    let exec: @PMActor ([String]) -> any ProbeAttempt
    /// Makes an attempt of a check of a plugin.
    let ask: @PMActor (PluginProbe) -> any ProbeAttempt
}

extension ReadinessCheck {
    /// The probe for the check; nil for those without one: `rpc` comes over its channel, `started` with its spawn.
    @PMActor
    func probe(_ context: ProbeContext) -> (any ReadinessProbe)? {
        switch self {
        case .started, .rpc: nil
        case .ipc: context.descriptor.map { NodeIPCProbe($0, context.reactor) }
        case .notify: context.descriptor.map { NotifyProbe($0, context) }
        case .descriptor: context.descriptor.map { NewlineProbe($0, context.reactor) }
        case .tcp(let host, let port): connecting(HTTPTarget(host: host, port: port, path: nil), context.reactor)
        case .http(let url): HTTPTarget(url: url).map { connecting($0, context.reactor) }
        case .exec(let words): RepeatedProbe(context.reactor, pace: .program) { context.exec(words) }
        case .probe(let probe): RepeatedProbe(context.reactor, pace: .program) { context.ask(probe) }
        case .logLine(let pattern): LogLineProbe(LinePattern(pattern), context.capture, context.reactor.clock)
        }
    }

    @PMActor
    private func connecting(_ target: HTTPTarget, _ reactor: Reactor) -> RepeatedProbe {
        RepeatedProbe(reactor) { ConnectAttempt(target, reactor) }
    }
}

/// Ready when a line of the output matches.
@PMActor
private final class LogLineProbe: ReadinessProbe {
    private let pattern: LinePattern
    private let capture: LogCapture
    private let clock: any TimeSource
    private var matcher: LineMatcher?
    private(set) var seen: String? = "no line of output matched"

    init(_ pattern: LinePattern, _ capture: LogCapture, _ clock: any TimeSource) {
        (self.pattern, self.capture, self.clock) = (pattern, capture, clock)
    }

    func start(_ onReady: @escaping @PMActor () -> Void) {
        let matcher = LineMatcher(pattern, clock, onReady)
        self.matcher = matcher
        capture.observeLines { matcher.add($0.bytes) }
    }

    func end() {
        capture.endObserving()
        matcher?.end()
    }
}

/// Ready when a newline arrives on a pipe whose other end the program has (as s6's notification-fd).
@PMActor
private final class NewlineProbe: ReadinessProbe {
    private let reader: ProbeReader

    init(_ descriptor: SharedFD, _ reactor: Reactor) {
        reader = ProbeReader(descriptor, reactor)
    }

    func start(_ onReady: @escaping @PMActor () -> Void) {
        reader.start { bytes in
            guard bytes.contains(UInt8(ascii: "\n")) else { return }
            onReady()
        }
    }

    func end() {
        reader.end()
    }
}

/// Ready when the program says `process.send('ready')`: the JSON string `"ready"` on a line of Node's IPC channel.
///
/// It goes on reading after that, so that a program that sends more is not blocked.
@PMActor
private final class NodeIPCProbe: ReadinessProbe {
    private let reader: ProbeReader
    private var line: [UInt8] = []
    private var onReady: (@PMActor () -> Void)?
    private static let longestLine = 4096

    init(_ descriptor: SharedFD, _ reactor: Reactor) {
        reader = ProbeReader(descriptor, reactor)
    }

    func start(_ onReady: @escaping @PMActor () -> Void) {
        self.onReady = onReady
        reader.start { [weak self] bytes in self?.received(bytes) }
    }

    func end() {
        onReady = nil
    }

    private func received(_ bytes: [UInt8]) {
        guard onReady != nil else { return }
        for byte in bytes {
            if byte == UInt8(ascii: "\n") {
                if line == Array("\"ready\"".utf8) { report() }
                line.removeAll()
            } else if line.count < Self.longestLine {
                line.append(byte)
            }
        }
    }

    private func report() {
        let body = onReady
        onReady = nil
        body?()
    }
}

/// Hands over what arrives on a descriptor until its end.
@PMActor
private final class ProbeReader {
    private let descriptor: SharedFD
    private let reactor: Reactor
    private var isWatching = false

    init(_ descriptor: SharedFD, _ reactor: Reactor) {
        self.descriptor = descriptor
        self.reactor = reactor
    }

    func start(_ onBytes: @escaping @PMActor ([UInt8]) -> Void) {
        do throws(SystemError) {
            try reactor.watch(descriptor.raw, .readable) { [weak self] _ in self?.read(onBytes) }
            isWatching = true
        } catch {
            // Then nothing arrives and the readiness deadline ends the wait with its own message.
            isWatching = false
        }
    }

    func end() {
        guard isWatching else { return }
        isWatching = false
        reactor.unwatch(descriptor.raw)
    }

    private func read(_ onBytes: @PMActor ([UInt8]) -> Void) {
        switch Descriptors.read(descriptor.raw, limit: 4096) {
        case .bytes(let bytes): onBytes(bytes)
        case .nothing: break
        case .end: end()
        }
    }
}
