import Glibc
import JSON
import PMAPI
import PMSystem

/// A daemon of one connection at a time, on a thread of its own, that answers calls by a closure.
///
/// `@unchecked Sendable`: holds because `recorded` is guarded by `mutex` and the rest does not change after `init`.
final class ScriptedServer: @unchecked Sendable {
    /// A call that came.
    struct Call: Equatable, Sendable {
        let method: String
        let params: JSONValue
    }

    typealias Answer = @Sendable (Call) throws(APIError) -> JSONValue

    private let listener: OwnedFD
    private let stopping: (reading: SharedFD, writing: SharedFD)
    private let answer: Answer
    private var mutex = pthread_mutex_t()
    private var recorded: [Call] = []
    private var thread = pthread_t()

    init(socket: String, answer: @escaping Answer) throws {
        listener = try UnixSocket.listen(socket, mode: 0o600)
        stopping = try Pipe.make()
        self.answer = answer
        pthread_mutex_init(&mutex, nil)
        let result = pthread_create(
            &thread, nil,
            { argument in
                guard let argument else { return nil }
                Unmanaged<ScriptedServer>.fromOpaque(argument).takeRetainedValue().serve()
                return nil
            }, Unmanaged.passRetained(self).toOpaque())
        precondition(result == 0, "no thread for the test")
    }

    /// What was called, in order.
    var calls: [Call] {
        pthread_mutex_lock(&mutex)
        defer { pthread_mutex_unlock(&mutex) }
        return recorded
    }

    /// Ends the thread; every call that was answered is in `calls` then.
    func stop() {
        // The thread ends by itself when the pipe cannot be written either.
        try? Files.write([0], to: stopping.writing.raw, named: "pipe")
        pthread_join(thread, nil)
    }

    private func serve() {
        while isReadable(listener.raw) {
            // A client that has gone already is none to serve.
            guard let accepted = try? UnixSocket.accept(listener.raw) else { continue }
            serve(accepted.raw)
        }
    }

    /// Waits for a descriptor; false when the test is over.
    private func isReadable(_ descriptor: Int32) -> Bool {
        var set = [
            pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0),
            pollfd(fd: stopping.reading.raw, events: Int16(POLLIN), revents: 0),
        ]
        poll(&set, 2, 30_000)
        return set[0].revents != 0
    }

    private func serve(_ socket: Int32) {
        var pending: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 65_536)
        while isReadable(socket) {
            let count = recv(socket, &chunk, chunk.count, 0)
            guard count > 0 else { return }
            pending += chunk[..<count]
            while let end = pending.firstIndex(of: 10) {
                let line = Array(pending[..<end])
                pending.removeSubrange(...end)
                reply(to: line, socket)
            }
        }
    }

    private func reply(to line: [UInt8], _ socket: Int32) {
        // Only well-formed requests come from the client under test.
        guard let request = try? JSONValue(parsing: line), let method = request["method"]?.string else { return }
        let call = Call(method: method, params: request["params"] ?? .null)
        pthread_mutex_lock(&mutex)
        recorded.append(call)
        pthread_mutex_unlock(&mutex)
        var reply = JSONObject()
        reply["id"] = request["id"]
        do throws(APIError) {
            let result = try answer(call)
            if result == .null { reply["error"] = .null } else { reply["result"] = result }
        } catch {
            reply["error"] = error.json
        }
        reply["jsonrpc"] = "2.0"
        // A client that does not wait for its answer is part of some tests.
        try? Files.write(JSONValue.object(reply).serialized() + [10], to: socket, named: "socket")
    }
}
