import CPMLinux
import Glibc
import PMModel

/// Whom a signal is for.
public enum SignalScope: Sendable {
    /// The child's first process alone.
    case leader
    /// Process group of the child.
    case group
    /// All that descends from it; answered with a `tree` message.
    case tree
}

/// Why the daemon leaves pm-init.
public enum LeaveReason: Equatable, Sendable {
    /// All is stopped; pm-init exits with this status.
    case stopped(status: Int32)
    /// The daemon's binary is to be started again; children stay.
    case upgrade
}

/// The daemon's end of the control socket to pm-init (control.h).
///
/// Sending never blocks: packets the socket does not take wait here, with their descriptors, in order.
@PMActor
public final class InitChannel {
    /// The descriptor on which pm-init hands the daemon its end.
    public nonisolated static let descriptor = Int32(PM_CONTROL_FD)

    /// Called with each message, and once with the reason why no more follow.
    public typealias Receiver = @PMActor (Result<InitMessage, HolderLoss>) -> Void

    private struct Packet {
        var bytes: [UInt8]
        var descriptors: [SharedFD]
    }

    private let socket: SharedFD
    /// The loop that it is served by.
    public let reactor: Reactor
    private var receiver: Receiver?
    private var waiting: [Packet] = []
    private var waitingStart = 0
    private var onDrained: (@PMActor () -> Void)?
    private var isPaused = false
    private let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: Int(PM_CONTROL_MAX), alignment: 16)

    /// Takes over the control socket.
    ///
    /// - Throws: `SystemError` when it cannot be watched.
    public init(_ socket: SharedFD, reactor: Reactor) throws(SystemError) {
        self.socket = socket
        self.reactor = reactor
        try setNonBlocking(socket.raw)
    }

    isolated deinit {
        buffer.deallocate()
    }

    /// Greets pm-init and delivers its messages from now on.
    ///
    /// - Throws: `SystemError` when the socket cannot be watched or written.
    public func start(_ receiver: @escaping Receiver) throws(SystemError) {
        precondition(self.receiver == nil, "the channel to pm-init is started twice")
        self.receiver = receiver
        try reactor.watch(socket.raw, .readable) { [weak self] events in self?.ready(events) }
        var hello = pm_hello()
        hello.version = PM_CONTROL_VERSION
        hello.pid = getpid()
        try send(.PM_HELLO, id: 0, body: hello)
    }

    /// Asks for a child; answered with `spawned` or `spawnFailed`.
    ///
    /// - Throws: `SystemError`: E2BIG when the request exceeds what the protocol carries, or the socket's error.
    public func spawn(_ request: SpawnRequest) throws(SystemError) {
        let encoded = try SpawnEncoder(request).packet()
        try send(Packet(bytes: encoded.bytes, descriptors: encoded.descriptors))
    }

    /// Signals a child; signal 0 with scope `tree` only counts.
    ///
    /// - Throws: `SystemError` when pm-init is gone.
    public func signal(_ id: UInt64, _ number: Int32, _ scope: SignalScope) throws(SystemError) {
        let raw: pm_signal_scope =
            switch scope {
            case .leader: .PM_SCOPE_LEADER
            case .group: .PM_SCOPE_GROUP
            case .tree: .PM_SCOPE_TREE
            }
        try send(.PM_SIGNAL, id: id, body: pm_signal(signal: number, scope: raw.rawValue))
    }

    /// Lets pm-init forget a dead child and close what it held for it.
    ///
    /// - Throws: `SystemError` when pm-init is gone.
    public func forget(_ id: UInt64) throws(SystemError) {
        try send(Packet(bytes: header(.PM_FORGET, id: id, size: 0), descriptors: []))
    }

    /// Saves what a successor of this daemon must know of a child.
    ///
    /// - Throws: `SystemError`: E2BIG when the state is longer than 512 bytes, or the socket's error.
    public func save(_ id: UInt64, state: [UInt8], stop: InitStop) throws(SystemError) {
        guard state.count <= Int(PM_STATE_MAX) else { throw SystemError("save state", "child \(id)", code: E2BIG) }
        let body = pm_state(
            stop_order: stop.order, stop_signal: stop.signal, stop_wait_ms: stop.waitMilliseconds,
            state_size: UInt32(state.count))
        try send(.PM_STATE, id: id, body: body, tail: state)
    }

    /// Gives pm-init a named descriptor to keep for this daemon's successors.
    ///
    /// - Throws: `SystemError` when pm-init is gone or the name is too long.
    public func hold(_ name: String, _ descriptor: SharedFD) throws(SystemError) {
        let bytes = header(.PM_HOLD, id: 0, size: MemoryLayout<pm_name>.size)
        try send(Packet(bytes: bytes + encoded(name), descriptors: [descriptor]))
    }

    /// Lets pm-init close a named descriptor.
    ///
    /// - Throws: `SystemError` when pm-init is gone or the name is too long.
    public func drop(_ name: String) throws(SystemError) {
        let bytes = header(.PM_DROP, id: 0, size: MemoryLayout<pm_name>.size)
        try send(Packet(bytes: bytes + encoded(name), descriptors: []))
    }

    /// Lets pm-init end this daemon when its loop hangs (PM_WATCH).
    ///
    /// - Throws: `SystemError` when pm-init is gone, or nothing is left to observe the loop with.
    public func watch(_ reactor: Reactor) throws(SystemError) {
        let (epoll, turns) = try reactor.observation()
        try send(Packet(bytes: header(.PM_WATCH, id: 0, size: 0), descriptors: [epoll, turns]))
    }

    /// Asks pm-init to go on as the program at this path; answered with `reexeced` or `reexecFailed`.
    ///
    /// - Throws: `SystemError` when pm-init is gone or the path is too long.
    public func reexec(_ path: String) throws(SystemError) {
        let size = MemoryLayout<pm_program>.size
        guard path.utf8.count < size else { throw SystemError("replace pm-init by", path, code: ENAMETOOLONG) }
        let bytes = Array(path.utf8) + [UInt8](repeating: 0, count: size - path.utf8.count)
        try send(Packet(bytes: header(.PM_REEXEC, id: 0, size: size) + bytes, descriptors: []))
    }

    /// Tells the service manager that started pm-init, if there is one; more than 1024 bytes are not sent.
    ///
    /// - Throws: `SystemError` when pm-init is gone.
    public func notify(_ lines: String) throws(SystemError) {
        let bytes = Array(lines.utf8.prefix(Int(PM_NOTIFY_MAX)))
        try send(Packet(bytes: header(.PM_NOTIFY, id: 0, size: bytes.count) + bytes, descriptors: []))
    }

    /// Announces the daemon's end.
    ///
    /// - Throws: `SystemError` when pm-init is gone.
    public func leave(_ goodbye: LeaveReason) throws(SystemError) {
        let body =
            switch goodbye {
            case .stopped(let status): pm_bye(reason: pm_bye_reason.PM_BYE_STOPPED.rawValue, status: status)
            case .upgrade: pm_bye(reason: pm_bye_reason.PM_BYE_UPGRADE.rawValue, status: 0)
            }
        try send(.PM_BYE, id: 0, body: body)
    }

    // MARK: sending

    private func header(_ type: pm_message_type, id: UInt64, size: Int) -> [UInt8] {
        let header = pm_message(
            type: type.rawValue, size: UInt32(MemoryLayout<pm_message>.size + size), id: id)
        return withUnsafeBytes(of: header) { Array($0) }
    }

    private func encoded(_ name: String) throws(SystemError) -> [UInt8] {
        guard name.utf8.count <= Int(PM_NAME_MAX) else { throw SystemError("hold", name, code: ENAMETOOLONG) }
        return Array(name.utf8) + [UInt8](repeating: 0, count: MemoryLayout<pm_name>.size - name.utf8.count)
    }

    private func send<Body>(_ type: pm_message_type, id: UInt64, body: Body, tail: [UInt8] = []) throws(SystemError) {
        var bytes = header(type, id: id, size: MemoryLayout<Body>.size + tail.count)
        withUnsafeBytes(of: body) { bytes += $0 }
        bytes += tail
        try send(Packet(bytes: bytes, descriptors: []))
    }

    private func send(_ packet: Packet) throws(SystemError) {
        if waitingStart == waiting.count {
            let isSent = try write(packet)
            if isSent { return }
        }
        waiting.append(packet)
        updateInterest()
    }

    private func updateInterest() {
        // After its end nothing is watched.
        guard receiver != nil else { return }
        var wanted: Events = isPaused ? [] : .readable
        if waitingStart < waiting.count { wanted.insert(.writable) }
        reactor.change(socket.raw, wanted)
    }

    /// Writes a packet; false when the socket is full.
    private func write(_ packet: Packet) throws(SystemError) -> Bool {
        let numbers = packet.descriptors.map(\.raw)
        let result = packet.bytes.withUnsafeBytes {
            var piece = pm_piece(base: $0.baseAddress, size: $0.count)
            return withUnsafePointer(to: &piece) { piece in
                numbers.withUnsafeBufferPointer { numbers in
                    var packet = pm_packet(
                        pieces: piece, count: 1, fds: numbers.baseAddress, fd_count: numbers.count)
                    return pm_packet_send(socket.raw, &packet)
                }
            }
        }
        if result == -EAGAIN { return false }
        _ = try valueOrNegated("send to pm-init", "", result)
        return true
    }

    /// Calls `body` when pm-init has got all that was sent, or never will; at once when nothing waits.
    public func whenDrained(_ body: @escaping @PMActor () -> Void) {
        if waiting.isEmpty { return body() }
        onDrained = body
    }

    /// True when pm-init is so far behind that it should not get more requests.
    public var isBehind: Bool { waiting.count - waitingStart > Self.packetsAtOnce }

    /// A stop of 5,000 services makes this many; each is below 1 KB.
    private static let packetsAtOnce = 16384

    private func drained() {
        let body = onDrained
        onDrained = nil
        body?()
    }

    private func flush() throws(SystemError) {
        while waitingStart < waiting.count {
            guard try write(waiting[waitingStart]) else { return }
            waiting[waitingStart].descriptors = []
            waitingStart += 1
        }
        waiting.removeAll(keepingCapacity: waiting.count < 1024)
        waitingStart = 0
        updateInterest()
        drained()
    }

    // MARK: receiving

    /// Delivers nothing until `resume`: pm-init keeps what it has to say, in order.
    public func pause() {
        isPaused = true
        updateInterest()
    }

    /// Ends the pause, if there is one.
    public func resume() {
        guard isPaused else { return }
        isPaused = false
        updateInterest()
    }

    private func ready(_ events: Events) {
        do throws(SystemError) {
            if events.contains(.writable) { try flush() }
            // The end of pm-init, which is reported in each turn, is looked at when the pause is over.
            if !isPaused, !events.isDisjoint(with: [.readable, .hungUp, .failed]) { try receive() }
        } catch {
            close(.failed(error))
        }
    }

    /// Delivers what is there; bounded, so that a burst of exits does not starve sessions.
    private func receive() throws(SystemError) {
        reactor.attribute("pm-init")
        guard let space = buffer.baseAddress else { return }
        var numbers = [Int32](repeating: -1, count: Int(PM_FDS_MAX))
        let end = reactor.clock.monotonic() + Self.share
        // A successor of a daemon with thousands of services takes each of them over with a message.
        while !isPaused, reactor.clock.monotonic() < end {
            var count = 0
            let size = numbers.withUnsafeMutableBufferPointer { numbers -> Int32 in
                guard let first = numbers.baseAddress else { return 0 }
                var place = pm_packet_space(
                    buffer: space, capacity: buffer.count, fds: first, fd_capacity: numbers.count)
                return pm_packet_receive(socket.raw, &place, &count)
            }
            if size == -EAGAIN { return }
            if size == 0 { return close(.ended) }
            _ = try valueOrNegated("receive from pm-init", "", size)
            let descriptors = numbers[..<count].map { SharedFD(owning: $0) }
            if let message = InitDecoder(UnsafeRawBufferPointer(rebasing: buffer[..<Int(size)]), descriptors).message()
            {
                receiver?(.success(message))
            }
        }
    }

    /// Time for messages in one turn.
    private static let share = Duration.milliseconds(10)

    private func close(_ loss: HolderLoss) {
        reactor.unwatch(socket.raw)
        waiting.removeAll()
        waitingStart = 0
        let last = receiver
        receiver = nil
        last?(.failure(loss))
        drained()
    }
}
