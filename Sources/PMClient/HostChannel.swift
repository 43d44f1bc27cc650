import JSON
import JSONRPC
import PMAPI
public import PMSystem

/// The daemon's side of a commandable service that runs without a daemon: answers what the service's host asks.
public final class HostChannel {
    /// An event of the hosted service.
    public enum Event: Equatable, Sendable {
        /// The service said that it is ready.
        case ready
        /// The service has closed its side.
        case closed
        /// The other descriptor became readable.
        case interrupted
    }

    private let connection: DaemonConnection
    private let name: String

    /// Speaks to a service of that name over a stream socket.
    ///
    /// - Throws: `SystemError` with operation `fcntl`.
    public init(_ socket: SharedFD, name: String) throws(SystemError) {
        connection = try DaemonConnection(socket)
        self.name = name
    }

    /// Answers requests until something happens. A line that is no message is answered and passed over.
    public func nextEvent(interrupt: Int32) throws(ClientError) -> Event {
        var isReady = false
        while !isReady {
            var answer: [UInt8] = []
            let arrival = try connection.nextLine(Deadline(nil), interrupt: interrupt) { line in
                isReady = self.answer(line, &answer)
            }
            switch arrival {
            case .end: return .closed
            case .interrupted, .late: return .interrupted
            case .line: try write(answer)
            }
        }
        return .ready
    }

    private func write(_ bytes: [UInt8]) throws(ClientError) {
        do {
            _ = try connection.write(bytes, Deadline(.seconds(10)))
        } catch {
            throw .unreachable(error)
        }
    }

    /// Appends the answer to one line; tells whether it was `ready`.
    private func answer(_ line: UnsafeRawBufferPointer, _ output: inout [UInt8]) -> Bool {
        do {
            guard case .request(let request) = try Message.scan(line), let id = request.ownedID else { return false }
            return answer(request.method.string, id, &output)
        } catch {
            MessageWriter.rejection(error, to: &output)
            return false
        }
    }

    private func answer(_ method: String, _ id: RPCID, _ output: inout [UInt8]) -> Bool {
        switch Method(rawValue: method) {
        case .ready:
            MessageWriter.void(id: id, to: &output)
            return true
        case .metadata:
            MessageWriter.reply(id: id, result: Metadata.ofDaemon.json, to: &output)
        case .upgrade, .start, .stop, .restart, .status, .list, .map, .unmap, .rename, .discover, .connect, .log,
            .events, .version, .name, .proxy, .bridge, .confine, .clientSession, .scale, .apply, .explain,
            .reloadMetadata, .plugins, .installed, nil:
            let error = APIError.stopping(
                "\(name) runs without pm, so \(method) cannot be called",
                hint: "pm start pm, then pm start \(name.shellWord)")
            MessageWriter.failure(id: id, error.rpc, to: &output)
        }
        return false
    }
}
