import JSON
import JSONRPC
public import PMSystem

/// Joins a client's connection with one that a service opens for it, and relays between them from then on.
///
/// The client asks for a proxy; the service gets the name of a bridge (`$bridge`) and sends it on a connection of its
/// own (`bridge`). Neither connection belongs to the daemon any more after that.
@PMActor
public final class Bridges {
    /// A requested bridge, and its client.
    private struct Opening {
        let call: Responder
        let deadline: TimerID
    }

    /// Time for a service to open its connection.
    private let openTimeout: Duration
    private let reactor: Reactor
    private let onTrouble: @PMActor (String) -> Void
    private var openings: [String: Opening] = [:]
    private var relays: [ObjectIdentifier: LineRelay] = [:]

    /// No bridges.
    public init(
        reactor: Reactor, openTimeout: Duration = .seconds(10), onTrouble: @escaping @PMActor (String) -> Void
    ) {
        self.reactor = reactor
        self.openTimeout = openTimeout
        self.onTrouble = onTrouble
    }

    /// All relays that are at work.
    public var all: [LineRelay] { Array(relays.values) }

    // MARK: opening

    /// Answers a request for a proxy once the service has opened its end; nothing is read from the client meanwhile.
    public func open(_ call: Responder, to service: Service) {
        var random = SystemRandomNumberGenerator()
        let name = Self.name(using: &random)
        let unit = service.id.unit
        let deadline = reactor.after(openTimeout) { [weak self, seconds = openTimeout.components.seconds] in
            let late = "\(unit) opened no connection for the bridge within \(seconds) s"
            self?.fail(name, .timedOut(late))
        }
        openings[name] = Opening(call: call, deadline: deadline)
        // The bridge of a client that leaves is not needed any more.
        call.whenCancelled { [weak self] in self?.fail(name, Refusals.cancelled) }
        call.session.holdBack()
        service.session.call("$bridge", [.string(name)]) { [weak self] result in
            if case .failure(let error) = result { self?.fail(name, error) }
        }
    }

    private func fail(_ name: String, _ error: RPCError) {
        guard let opening = removeOpening(name) else { return }
        opening.call.fail(error)
        opening.call.session.letGo()
    }

    private func removeOpening(_ name: String) -> Opening? {
        guard let opening = openings.removeValue(forKey: name) else { return nil }
        reactor.cancel(opening.deadline)
        return opening
    }

    // MARK: joining

    /// Joins the connection that a service opened with the one that waits for it; false when none does.
    public func join(_ call: Responder, to name: String) -> Bool {
        guard let opening = removeOpening(name) else { return false }
        call.session.holdBack()
        // Once this turn's messages are handled: what is behind the request in the same read is for the other end.
        reactor.atEndOfTurn { [weak self] in self?.join(opening.call, call) }
        return true
    }

    private func join(_ left: Responder, _ right: Responder) {
        guard left.isOpen, left.session.isAlone, right.isOpen, right.session.isAlone else {
            let error = RPCError.conflict("a connection with other calls under way cannot be one end of a bridge")
            for call in [left, right] {
                call.fail(error)
                call.session.letGo()
            }
            return
        }
        right.succeed(true)
        left.succeed(.null)
        guard let one = left.session.relayEnd(), let other = right.session.relayEnd() else { return }
        do throws(SystemError) {
            try relay(one, other)
        } catch {
            onTrouble("a bridge cannot be used: \(error)")
        }
    }

    /// Relays between two connections until one of them ends.
    ///
    /// - Throws: `SystemError` when they cannot be made non-blocking.
    public func relay(_ one: LineRelay.End, _ other: LineRelay.End) throws(SystemError) {
        let relay = try LineRelay(one, other, reactor: reactor)
        let key = ObjectIdentifier(relay)
        relays[key] = relay
        relay.start { [weak self] ending in
            self?.relays[key] = nil
            self?.ended(ending)
        }
    }

    private func ended(_ ending: LineRelay.Outcome) {
        switch ending {
        case .finished: break
        case .lineTooLong: onTrouble("a bridge was closed: a line is longer than \(LineRelay.longestLine) bytes")
        case .failed(let error): onTrouble("a bridge was closed: \(error)")
        }
    }

    /// A random UUID (RFC 9562, version 4), which nobody can guess.
    static func name(using random: inout some RandomNumberGenerator) -> String {
        var bytes = (0..<16).map { _ in UInt8.random(in: 0...255, using: &random) }
        bytes[6] = bytes[6] & 0x0F | 0x40
        bytes[8] = bytes[8] & 0x3F | 0x80
        var text = ""
        for (place, byte) in bytes.enumerated() {
            if [4, 6, 8, 10].contains(place) { text += "-" }
            let digits = String(byte, radix: 16)
            text += digits.count < 2 ? "0" + digits : digits
        }
        return text
    }
}

extension Session {
    /// Takes the connection out of this session, for a relay to continue; nil when the connection is closed, or is no
    /// socket.
    fileprivate func relayEnd() -> LineRelay.End? {
        let (socket, state) = leave()
        return socket.map {
            LineRelay.End($0, unread: state.unread.bytes, unsent: state.unsent.bytes, hasFinished: hasFinished)
        }
    }
}
