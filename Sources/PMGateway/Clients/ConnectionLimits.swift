/// Origin of a client for limits: one address of IPv4, one network of IPv6 (a site gets at least a /64, RFC 6177), or a
/// unix socket.
enum ClientSource: Hashable {
    case ipv4(UInt32)
    case ipv6Network(UInt64)
    case local
}

/// Counts clients, in all and of each source, and decides which of them may begin costly work.
///
/// A decision without effects: chance comes in. One source never takes all of anything, so that silent or greedy clients keep
/// out nobody but themselves. Clients that have not said a byte are turned away at random before the last place is taken, as
/// sshd does (MaxStartups): a flood from many sources then does not win against a few honest clients.
struct ConnectionLimits {
    /// Why a client is turned away.
    enum Refusal: Equatable {
        /// There are as many clients as may be.
        case connections
        /// The client's source has its share of the clients.
        case connectionsOfSource
        /// Too many clients have not said a byte yet, and chance chose this one.
        case silentClients
        /// There are as many handshakes as may be.
        case handshakes
        /// The client's source has its share of the handshakes.
        case handshakesOfSource
    }

    private struct Count {
        var clients = 0
        var handshakes = 0
    }

    private let limits: GatewayLimits
    private var all = Count()
    private var silent = 0
    private var sources: [ClientSource: Count] = [:]

    init(_ limits: GatewayLimits) {
        self.limits = limits
    }

    /// Sources that have clients.
    var sourceCount: Int { sources.count }

    /// Counts one more client, who has not said anything yet.
    ///
    /// - Parameter chance: a number from 0 up to, not including, 1.
    mutating func admit(_ source: ClientSource, chance: Double) -> Refusal? {
        guard all.clients < limits.connections else { return .connections }
        guard sources[source, default: Count()].clients < limits.connectionsOfSource else {
            return .connectionsOfSource
        }
        guard chance >= dropProbability else { return .silentClients }
        all.clients += 1
        silent += 1
        sources[source, default: Count()].clients += 1
        return nil
    }

    /// None up to half of the places, then rising to certainty at the last.
    private var dropProbability: Double {
        let start = limits.silentClients
        guard silent >= start, limits.connections > start else { return 0 }
        return Double(silent - start) / Double(limits.connections - start)
    }

    /// A client has said its first byte.
    mutating func firstByte() { silent -= 1 }

    /// A client is gone.
    mutating func leave(_ source: ClientSource, isSilent: Bool) {
        all.clients -= 1
        if isSilent { silent -= 1 }
        change(source) { $0.clients -= 1 }
    }

    /// Counts one more handshake: each takes milliseconds of a processor.
    mutating func beginHandshake(_ source: ClientSource) -> Refusal? {
        guard all.handshakes < limits.handshakes else { return .handshakes }
        guard sources[source, default: Count()].handshakes < limits.handshakesOfSource else {
            return .handshakesOfSource
        }
        all.handshakes += 1
        change(source) { $0.handshakes += 1 }
        return nil
    }

    /// A handshake is done, or given up.
    mutating func endHandshake(_ source: ClientSource) {
        all.handshakes -= 1
        change(source) { $0.handshakes -= 1 }
    }

    private mutating func change(_ source: ClientSource, _ body: (inout Count) -> Void) {
        var count = sources[source] ?? Count()
        body(&count)
        sources[source] = count.clients == 0 && count.handshakes == 0 ? nil : count
    }
}
