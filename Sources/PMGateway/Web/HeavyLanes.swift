import Glibc
import NIOCore
import NIOPosix

/// Requests with long bodies: few bytes of them are on their way to a service at a time, and another thread makes them.
///
/// A body of 4 MB becomes a message of 14 MB, which the daemon and the service read in one piece. More of them at once would
/// make clients with small requests wait, and the daemon refuses calls to a service for which more than 32 MB wait.
final class HeavyLanes {
    /// A place in the lane of a service, or the wait for one.
    final class Ticket {
        fileprivate enum State {
            case waiting, inside, over
        }

        fileprivate var state = State.waiting
        fileprivate let service: String
        fileprivate let bytes: Int
        fileprivate let onPlace: () -> Void

        fileprivate init(_ service: String, _ bytes: Int, _ onPlace: @escaping () -> Void) {
            (self.service, self.bytes, self.onPlace) = (service, bytes, onPlace)
        }
    }

    private struct Lane {
        var bytes = 0
        /// Their bodies count as memory of their clients, so there is a limit.
        var waiting: [Ticket] = []
    }

    /// A body of more bytes is worth the wait, and the way to another thread and back.
    static let leastBytes = 64 << 10
    /// Bytes of bodies on their way to one service; a longer one goes alone.
    static let mostBytes = 8 << 20
    /// A service that takes longer to answer has read the request: that leaves its place.
    private static let longestStay = TimeAmount.seconds(10)

    private var lanes: [String: Lane] = [:]

    /// Calls `onPlace` when there is a place, at once if there is one.
    func enter(_ service: String, bytes: Int, _ onPlace: @escaping () -> Void) -> Ticket {
        let ticket = Ticket(service, bytes, onPlace)
        lanes[service, default: Lane()].waiting.append(ticket)
        admit(service)
        return ticket
    }

    /// The request has gone to the daemon: its place is free again when it is answered, or after a while.
    func sent(_ ticket: Ticket, on loop: any EventLoop) {
        let bound = NIOLoopBound((self, ticket), eventLoop: loop)
        loop.scheduleTask(in: Self.longestStay) { bound.value.0.leave(bound.value.1) }
    }

    /// The request is answered, or its client has left.
    func leave(_ ticket: Ticket) {
        switch ticket.state {
        case .waiting: lanes[ticket.service]?.waiting.removeAll { $0 === ticket }
        case .inside: lanes[ticket.service]?.bytes -= ticket.bytes
        case .over: return
        }
        ticket.state = .over
        admit(ticket.service)
    }

    private func admit(_ service: String) {
        while let lane = lanes[service], let next = lane.waiting.first,
            lane.bytes == 0 || lane.bytes + next.bytes <= Self.mostBytes
        {
            lanes[service]?.waiting.removeFirst()
            lanes[service]?.bytes += next.bytes
            next.state = .inside
            next.onPlace()
        }
        if let lane = lanes[service], lane.bytes == 0, lane.waiting.isEmpty { lanes[service] = nil }
    }
}

/// A thread beside the loop, for work that would keep all clients waiting.
enum HeavyWork {
    /// Ends with the process.
    private static let pool: NIOThreadPool = {
        let pool = NIOThreadPool(numberOfThreads: 1)
        pool.start()
        // On a busy machine the loop goes first (setpriority(2) is about one thread on Linux). It may fail: all are served then, too.
        pool.submit { _ in _ = setpriority(Int32(PRIO_PROCESS.rawValue), 0, 10) }
        return pool
    }()

    /// Does something in the thread, and then something with its result on the loop.
    static func run<Value: Sendable, Failure: Error>(
        on loop: any EventLoop, _ body: @escaping @Sendable () throws(Failure) -> Value,
        then: @escaping @Sendable (Result<Value, Failure>) -> Void
    ) {
        pool.submit { _ in
            let result = Result { () throws(Failure) in try body() }
            loop.execute { then(result) }
        }
    }
}

extension HTTPConnection {
    /// Calls a route's command: with a long body when its turn comes, and without work on the loop.
    func call(_ route: WebRoute, _ inputs: RouteInputs) throws(Refusal) {
        guard inputs.body.readableBytes > HeavyLanes.leastBytes, let loop = context?.eventLoop else {
            return ask(RouteExchange(route, try inputs.request(route)))
        }
        let number = count
        let service = route.command.split(separator: ".").dropLast().joined(separator: ".")
        ticket = place.lanes.enter(service, bytes: inputs.body.readableBytes) { [weak self] in
            guard let self else { return }
            let bound = NIOLoopBound(self, eventLoop: loop)
            HeavyWork.run(on: loop) { () throws(Refusal) in
                try inputs.request(route)
            } then: { result in
                bound.value.call(route, result, number, on: loop)
            }
        }
    }

    private func call(
        _ route: WebRoute, _ result: Result<ByteBuffer, Refusal>, _ number: Int, on loop: any EventLoop
    ) {
        guard context != nil, request != nil, count == number, let ticket else { return }
        switch result {
        case .success(let request):
            ask(RouteExchange(route, request))
            place.lanes.sent(ticket, on: loop)
        case .failure(let refusal): finish(.refusal(refusal))
        }
    }

    /// The request needs no place any more.
    func leaveLane() {
        if let ticket { place.lanes.leave(ticket) }
        ticket = nil
    }
}
