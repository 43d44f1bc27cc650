import Glibc
public import JSON
import JSONRPC
public import PMAPI
import PMModel
public import PMSystem

/// A connection to a daemon for a program that does one thing at a time: each call waits for its answer.
public final class DaemonClient {
    /// Time for the daemon to answer a call that needs no work, such as `version`.
    public static let answerTimeout = Duration.seconds(15)

    /// Limit of replies that come before their call is read: calls are read one at a time, while other replies come on
    /// the same connection.
    private static let mostEarly = 65536

    /// The number of times that a call which changes nothing is repeated.
    private static let repetitions = 3

    /// A request whose answer has not been taken yet.
    public struct Ticket: Hashable, Sendable {
        let id: UInt64
        let method: String
    }

    /// The path of the socket, for people.
    public let address: String
    private(set) var connection: DaemonConnection
    /// Address to connect to again; nil for a socket that the caller opened.
    private let endpoint: SocketAddress?
    /// The users that may serve the socket.
    private let server: TrustedSocket.Server
    private var lastID: UInt64 = 0
    /// Replies that came while another one was waited for, in their order.
    private var early: [UInt64: [Reply]] = [:]
    private var earlyCount = 0

    /// The answer to a request, copied out of its line.
    enum Reply {
        case value([UInt8])
        case opened
        case void
        case failed(APIError)
    }

    /// Uses a connected stream socket.
    public init(socket: consuming OwnedFD, address: String) throws(ClientError) {
        self.address = address
        endpoint = nil
        server = .folderOwner
        do {
            connection = try DaemonConnection(SharedFD(socket))
        } catch {
            throw .unreachable(error)
        }
    }

    private init(_ endpoint: SocketAddress, _ server: TrustedSocket.Server) throws(ClientError) {
        self.endpoint = endpoint
        self.server = server
        address = endpoint.path
        connection = try Self.open(endpoint, server)
    }

    /// Connects to a daemon's socket; throws `notRunning`, `notPermitted`, `distrusted` or `unreachable`.
    public static func connect(
        to address: SocketAddress, servedBy server: TrustedSocket.Server = .folderOwner
    ) throws(ClientError) -> DaemonClient {
        try DaemonClient(address, server)
    }

    private static func open(
        _ address: SocketAddress, _ server: TrustedSocket.Server
    ) throws(ClientError) -> DaemonConnection {
        let socket: SharedFD
        do {
            socket = SharedFD(try TrustedSocket.connect(address.path, server))
        } catch {
            throw ClientError(connecting: error, to: address.path)
        }
        do {
            return try DaemonConnection(socket)
        } catch {
            throw ClientError(connecting: error)
        }
    }

    /// Calls a method of the daemon and waits at most `limit` for its answer. A question whose answer is lost, because the
    /// daemon was replaced, is asked again.
    public func call<C: DaemonCall>(_ call: C, within limit: Duration? = DaemonClient.answerTimeout) throws(ClientError)
        -> C.Answer
    {
        for _ in 0..<Self.repetitions {
            do {
                return try answer(to: send(call), of: C.self, within: limit)
            } catch {
                guard C.isQuestion, case .lost = error, endpoint != nil else { throw error }
                try reconnect()
            }
        }
        return try answer(to: send(call), of: C.self, within: limit)
    }

    /// Connects again to where it was connected; answers that were not taken are gone.
    ///
    /// - Throws: `notRunning` also for a socket that was given.
    public func reconnect() throws(ClientError) {
        guard let endpoint else { throw .notRunning(socket: address) }
        connection = try Self.open(endpoint, server)
        (early, earlyCount) = ([:], 0)
    }

    /// Calls any method, `web.greet` for example; void is null. A call that is not answered within `limit` is cancelled.
    public func call(_ method: String, _ params: JSONValue, within limit: Duration? = nil) throws(ClientError)
        -> JSONValue
    {
        let ticket = try send(method, params)
        do {
            return try value(of: ticket, within: limit)
        } catch {
            if case .timedOut = error { cancel(ticket) }
            throw error
        }
    }

    /// Says that the answer to a request is not needed any more.
    private func cancel(_ ticket: Ticket) {
        var bytes: [UInt8] = []
        let id = JSONValue.number(JSONNumber(Int(clamping: ticket.id)))
        MessageWriter.notification(method: FlowSignal.cancel.rawValue, params: [id], to: &bytes)
        _ = try? connection.write(bytes, Deadline(.zero))  // the end of this connection says the same
    }

    /// Sends a request without waiting, so that several answers come in one round trip.
    public func send<C: DaemonCall>(_ call: C) throws(ClientError) -> Ticket {
        try send(C.method.rawValue, call.params)
    }

    /// Sends a request without waiting.
    public func send(_ method: String, _ params: JSONValue) throws(ClientError) -> Ticket {
        lastID += 1
        var bytes: [UInt8] = []
        MessageWriter.request(id: lastID, method: method, params: params, to: &bytes)
        let wasWritten: Bool
        do {
            wasWritten = try connection.write(bytes, Deadline(Self.answerTimeout))
        } catch {
            guard error.code == EPIPE || error.code == ECONNRESET else { throw .unreachable(error) }
            // Who turns a client away says why, before anything was asked.
            _ = try reply(to: Ticket(id: lastID, method: method), Deadline(.zero))
            throw .lost(method: method)
        }
        guard wasWritten else { throw .timedOut(method: method, Self.answerTimeout) }
        return Ticket(id: lastID, method: method)
    }

    /// Waits for the answer to a request.
    public func answer<C: DaemonCall>(
        to ticket: Ticket, of type: C.Type, within limit: Duration? = DaemonClient.answerTimeout
    ) throws(ClientError) -> C.Answer {
        let json = try value(of: ticket, within: limit)
        do {
            return try C.Answer(json: json)
        } catch {
            throw .refused(error)
        }
    }

    /// Waits for the answer to a request, as JSON; void is null.
    public func value(of ticket: Ticket, within limit: Duration? = DaemonClient.answerTimeout) throws(ClientError)
        -> JSONValue
    {
        guard let bytes = try bytes(of: ticket, within: limit) else { return .null }
        do {
            return try JSONValue(parsing: bytes)
        } catch {
            throw .garbled("\(error)")
        }
    }

    /// Waits for the answer to a request, as the JSON text that came; void is nil.
    public func bytes(of ticket: Ticket, within limit: Duration? = DaemonClient.answerTimeout) throws(ClientError)
        -> [UInt8]?
    {
        switch try reply(to: ticket, Deadline(limit)) {
        case .some(.value(let bytes)): return bytes
        case .some(.void), .some(.opened): return nil
        case .some(.failed(let error)): throw .refused(error)
        case nil: throw .timedOut(method: ticket.method, limit ?? .zero)
        }
    }

    /// Waits for the answer as JSON text, or until `interrupt` is readable: then nil.
    public func text(of ticket: Ticket, interrupt: Int32) throws(ClientError) -> [UInt8]? {
        var wasInterrupted = false
        switch try reply(to: ticket, Deadline(nil), interrupt: interrupt, wasInterrupted: &wasInterrupted) {
        case .some(.value(let bytes)): return bytes
        case .some(.void), .some(.opened): return Array("null".utf8)
        case .some(.failed(let error)): throw .refused(error)
        case nil: return nil
        }
    }

    /// Waits until the daemon has closed the connection; false when it still has not at the deadline.
    public func waitForEnd(within limit: Duration) throws(ClientError) -> Bool {
        let deadline = Deadline(limit)
        while true {
            switch try connection.nextLine(deadline, { _ in }) {
            case .line, .interrupted: continue
            case .end: return true
            case .late: return false
            }
        }
    }

    /// The next reply to a request; nil at the deadline, and when `interrupt` became readable, which is then told.
    func reply(
        to ticket: Ticket, _ deadline: Deadline, interrupt: Int32? = nil, wasInterrupted: inout Bool
    ) throws(ClientError) -> Reply? {
        while true {
            if let reply = takeEarly(ticket.id) { return reply }
            switch try connection.nextLine(deadline, interrupt: interrupt, receivedLine) {
            case .line: continue
            case .end: throw .lost(method: ticket.method)
            case .late: return nil
            case .interrupted:
                wasInterrupted = true
                return nil
            }
        }
    }

    private func reply(to ticket: Ticket, _ deadline: Deadline) throws(ClientError) -> Reply? {
        var ignored = false
        return try reply(to: ticket, deadline, wasInterrupted: &ignored)
    }

    private func takeEarly(_ id: UInt64) -> Reply? {
        guard var replies = early.removeValue(forKey: id), !replies.isEmpty else { return nil }
        let first = replies.removeFirst()
        if !replies.isEmpty { early[id] = replies }
        earlyCount -= 1
        return first
    }

    /// Sorts one line: replies are kept for their callers, all other messages of a daemon are not for us.
    private func receivedLine(_ line: UnsafeRawBufferPointer) throws(ClientError) {
        let message: Message
        do {
            message = try Message.scan(line)
        } catch {
            throw .garbled(error.error.description)
        }
        guard case .reply(let reply) = message else { return }
        guard let id = reply.internalID else {
            // It answers no request of ours: the connection itself is refused, or a line could not be read.
            if case .error(let raw) = reply.outcome { throw .turnedAway(APIError(RPCError(raw: raw))) }
            return
        }
        guard earlyCount < Self.mostEarly else {
            throw .garbled("\(earlyCount) replies to calls that were not made yet")
        }
        earlyCount += 1
        early[id, default: []].append(Reply(reply))
    }
}

extension DaemonClient.Reply {
    init(_ reply: RPCReply) {
        switch reply.outcome {
        case .void: self = .void
        case .error(let raw): self = .failed(APIError(RPCError(raw: raw)))
        case .result(let raw): self = reply.isStream && raw.elementsEqual("{}".utf8) ? .opened : .value([UInt8](raw))
        }
    }
}
