import Glibc
import PMLogs
import PMModel
import PMSystem

/// The descriptors between the daemon and one incarnation.
@PMActor
struct Wiring {
    /// The reading ends of its standard output and standard error.
    let output: SharedFD, errors: SharedFD
    /// The daemon's end of the channel, if there is one.
    let channel: SharedFD?
    /// The daemon's ends of the pipes beside the channel that carry its messages, if it is a thread's.
    let pipes: StreamDescriptors.Pipes?
    /// The reading end of its readiness check, if it has one.
    let probe: SharedFD?

    /// Descriptors that pm-init keeps, in this order.
    var held: [SharedFD] {
        [output, errors] + [channel, pipes?.reading, pipes?.writing, probe].compactMap { $0 }
    }

    /// The channel with its pipes.
    var stream: StreamDescriptors? { channel.map { StreamDescriptors($0, pipes: pipes) } }

    /// True when no process has the writing ends any more, as with a child that writes to journald.
    var isAbandoned: Bool {
        Pipe.content(of: output.raw) == .ended && Pipe.content(of: errors.raw) == .ended
    }

    /// Which of the optional descriptors are there: what a successor needs to tell the held ones apart.
    var layout: HeldLayout {
        HeldLayout(hasChannel: channel != nil, hasPipes: pipes != nil, hasProbe: probe != nil)
    }

    /// Takes over what pm-init kept; nil when the number is another than the layout says.
    init?(adopting held: [SharedFD], _ layout: HeldLayout) {
        guard held.count == layout.count else { return nil }
        output = held[0]
        errors = held[1]
        channel = layout.hasChannel ? held[2] : nil
        pipes = layout.hasPipes ? StreamDescriptors.Pipes(reading: held[3], writing: held[4]) : nil
        probe = layout.hasProbe ? held[layout.count - 1] : nil
        // Those of a pmd that did not do it.
        for socket in [channel, probe].compactMap({ $0 }) { UnixSocket.refuseDescriptors(socket.raw) }
    }

    private init(_ output: (SharedFD, errors: SharedFD), _ channel: StreamDescriptors?, probe: SharedFD?) {
        self.output = output.0
        errors = output.errors
        self.channel = channel?.socket
        pipes = channel?.pipes
        self.probe = probe
    }

    /// Existing parts of a child's wiring, besides new descriptors.
    struct Parts {
        /// `/dev/null`.
        let null: SharedFD
        /// The readiness socket, if it has one (sd_notify(3)).
        var notify: NotifySocket?
    }

    /// Makes the descriptors for a launch, and completes the request with the child's ends.
    ///
    /// - Throws: `SpawnFailure`; EMFILE also while there are still descriptors for clients that come to stop something.
    ///   Nothing stays open then.
    static func make(_ request: inout SpawnRequest, _ launch: Launch, _ check: ReadinessCheck, _ parts: Parts)
        throws(SpawnFailure) -> Wiring
    {
        let output = try SpawnFailure.of(.pipes, Pipe.make)
        let errors = try SpawnFailure.of(.pipes, Pipe.make)
        // What the request has already are the unit's sockets, which begin at 3 (sd_listen_fds(3)).
        var child = [parts.null, output.writing, errors.writing] + request.childDescriptors
        let channel = try launch.channel == .none ? nil : makeChannel(&child, hasPipes: launch.pool != nil)
        let probe = try makeProbe(check, &child, &request, parts)
        let wiring = Wiring((output.reading, errors.reading), channel, probe: probe)
        let limit = DescriptorLimit.current()
        if (child + wiring.held).contains(where: { limit.isReserved($0.raw) }) {
            throw SpawnFailure(.pipes, call: SystemError("open", "its pipes", code: EMFILE))
        }
        request.childDescriptors = child
        request.heldDescriptors = wiring.held
        return wiring
    }

    /// The ends of a channel; those of the child are appended, the socket's first.
    private static func makeChannel(
        _ child: inout [SharedFD], hasPipes: Bool
    ) throws(SpawnFailure) -> StreamDescriptors {
        let pair = try SpawnFailure.of(.pipes, UnixSocket.pair)
        child.append(pair.theirs)
        guard hasPipes else { return StreamDescriptors(pair.ours) }
        let (up, down) = (try SpawnFailure.of(.pipes, Pipe.make), try SpawnFailure.of(.pipes, Pipe.make))
        child += [up.writing, down.reading]
        return StreamDescriptors(pair.ours, pipes: .init(reading: up.reading, writing: down.writing))
    }

    private static func makeProbe(
        _ check: ReadinessCheck, _ child: inout [SharedFD], _ request: inout SpawnRequest, _ parts: Parts
    ) throws(SpawnFailure) -> SharedFD? {
        switch check {
        case .started, .rpc, .ipc, .tcp, .http, .exec, .logLine, .probe: return nil
        case .notify:
            guard let socket = parts.notify else { throw unready("notify") }
            request.environment.append("NOTIFY_SOCKET=\(socket.path)")
            return socket.descriptor
        case .descriptor(let number):
            guard number >= child.count, number < 24 else { throw unready("descriptor \(number)") }
            while child.count < number { child.append(parts.null) }
            let pipe = try SpawnFailure.of(.pipes, Pipe.make)
            child.append(pipe.writing)
            return pipe.reading
        }
    }

    private static func unready(_ check: String) -> SpawnFailure {
        SpawnFailure(.readinessDescriptor, call: SystemError("ready", check, code: EINVAL))
    }

    /// The number of the child's end of the channel.
    nonisolated static func channelNumber(_ unit: Unit) -> Int { 3 + unit.sockets.count }

    /// The descriptor that a readiness check reads: its own, or the channel.
    func source(of check: ReadinessCheck) -> SharedFD? {
        check == .ipc ? channel : probe
    }
}

/// Which optional descriptors pm-init keeps for a child, besides its outputs.
struct HeldLayout: Equatable {
    let hasChannel: Bool
    /// True when two pipes carry what the channel would.
    let hasPipes: Bool
    let hasProbe: Bool

    var count: Int { 2 + (hasChannel ? 1 : 0) + (hasPipes ? 2 : 0) + (hasProbe ? 1 : 0) }

    /// The layout as a record has it.
    var flags: UInt8 { (hasChannel ? 1 : 0) | (hasProbe ? 2 : 0) | (hasPipes ? 4 : 0) }

    init(hasChannel: Bool, hasPipes: Bool, hasProbe: Bool) {
        self.hasChannel = hasChannel
        self.hasPipes = hasPipes
        self.hasProbe = hasProbe
    }

    /// Reads the form of a record; nil for one of a later version.
    init?(flags: UInt8) {
        guard flags < 8 else { return nil }
        self.init(hasChannel: flags & 1 != 0, hasPipes: flags & 4 != 0, hasProbe: flags & 2 != 0)
    }
}
