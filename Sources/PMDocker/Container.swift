import JSON
import NIOCore
import PMModel
import PMSystem

/// One container, by its name, and what the engine can do with it.
struct Container: Sendable {
    /// State of a container, as far as its driver needs it.
    struct State: Equatable, Sendable {
        /// True when the kernel killed it because memory ran out.
        var wasOutOfMemory: Bool
        /// Result of its health check; nil when it has none.
        var health: String?
        /// Folder of its sockets on this machine, if it is a container of pm.
        var folder: ChannelFolder?
    }

    private let engine: Engine
    private let name: String

    init(_ engine: Engine, name: String) {
        self.engine = engine
        self.name = name
    }

    private var path: String { "/containers/\(name)" }

    /// Makes it; the engine's warnings are returned.
    ///
    /// - Throws: `EngineError`.
    func create(_ body: ContainerBody) async throws -> [String] {
        let request = EngineRequest(verb: .post, path: "/containers/create", query: [("name", name)], body: body.json)
        return try await engine.send(request).body["Warnings"]?.array?.compactMap(\.string) ?? []
    }

    /// Starts it.
    ///
    /// - Throws: `EngineError`.
    func start() async throws {
        try await engine.send(EngineRequest(verb: .post, path: path + "/start"))
    }

    /// Sends a signal to its first process. Nothing happens when that has ended.
    ///
    /// - Throws: `EngineError`.
    func signal(_ number: Int32) async throws {
        do {
            try await engine.send(EngineRequest(verb: .post, path: path + "/kill", query: [("signal", "\(number)")]))
        } catch let error as EngineError where error.isRefusal(409) || error.isRefusal(404) {
            return
        }
    }

    /// Kills and removes it with the volumes that have no name. Nothing happens when there is none.
    ///
    /// - Throws: `EngineError`.
    func remove() async throws {
        let query = [("force", "1"), ("v", "1")]
        do {
            try await engine.send(EngineRequest(verb: .delete, path: path, query: query))
        } catch let error as EngineError where error.isRefusal(404) {
            return
        } catch let error as EngineError where error.isRefusal(409) {
            // Somebody else is removing it already.
            _ = try await wait(until: "removed", opened: {})
        }
    }

    /// The present state.
    ///
    /// - Throws: `EngineError`.
    func state() async throws -> State {
        let answer = try await engine.send(EngineRequest(verb: .get, path: path + "/json"))
        let state = answer.body["State"]
        return State(
            wasOutOfMemory: state?["OOMKilled"]?.bool ?? false,
            health: state?["Health"]?["Status"]?.string.flatMap { $0 == "none" ? nil : $0 },
            folder: answer.body["Config"]?["Labels"]?[ContainerLabel.folder]?.string.flatMap {
                ChannelFolder(inner: $0)
            })
    }

    /// Passes on new output until the container ends; calls `opened` when no output can be missed any more.
    ///
    /// - Throws: `EngineError`, or what `take` throws.
    func attach(opened: @Sendable () async -> Void, _ receive: (ByteBuffer) async throws -> Void) async throws {
        // Without "Upgrade" the engine answers with the output as a body without length.
        let query = [("stream", "1"), ("stdout", "1"), ("stderr", "1")]
        let request = EngineRequest(verb: .post, path: path + "/attach", query: query)
        try await engine.stream(request, opened: opened, receive)
    }

    /// Passes on the output since a time, and new output until the container ends; `opened` as above.
    ///
    /// - Throws: `EngineError`, or what `take` throws.
    func follow(
        since: WallTime, opened: @Sendable () async -> Void, _ receive: (ByteBuffer) async throws -> Void
    ) async throws {
        let fraction = String(since.nanoseconds % 1_000_000_000)
        let moment =
            "\(since.nanoseconds / 1_000_000_000)." + String(repeating: "0", count: 9 - fraction.count) + fraction
        let query = [("follow", "1"), ("stdout", "1"), ("stderr", "1"), ("since", moment)]
        try await engine.stream(EngineRequest(verb: .get, path: path + "/logs", query: query), opened: opened, receive)
    }

    /// Waits for its next end, or another condition of the engine's; its exit code.
    ///
    /// - Throws: `EngineError`.
    func wait(until condition: String, opened: @Sendable () async -> Void) async throws -> Int32 {
        let request = EngineRequest(verb: .post, path: path + "/wait", query: [("condition", condition)])
        var bytes = ByteBuffer()
        do {
            try await engine.stream(request, opened: opened) { bytes.writeImmutableBuffer($0) }
        } catch let error as EngineError where error.isRefusal(404) && condition == "removed" {
            return 0
        }
        guard bytes.readableBytes > 0 else { throw EngineError.silent(asked: request.target) }
        let answer = try Engine.json(bytes, request)
        guard let code = answer["StatusCode"]?.int else {
            throw EngineError.nonsense(asked: request.target, said: answer.text)
        }
        return Int32(clamping: code)
    }

    /// Waits until its health check says that it is well.
    ///
    /// - Throws: `EngineError`.
    func waitForHealth() async throws {
        struct Well: Error {}
        let filters: JSONValue = ["container": [.string(name)], "event": ["health_status"]]
        let request = EngineRequest(verb: .get, path: "/events", query: [("filters", filters.text)])
        do {
            try await withThrowingTaskGroup(of: Void.self) { group in
                let opening = Opening()
                group.addTask {
                    defer { opening.done() }
                    try await engine.stream(request, opened: { opening.done() }) { bytes in
                        // Events come one to a write, and this is the only one with these words.
                        if String(buffer: bytes).contains("health_status: healthy") { throw Well() }
                    }
                }
                group.addTask {
                    await opening.wait()
                    // What it said before the engine began to tell us.
                    if try await state().health == "healthy" { throw Well() }
                }
                while try await group.next() != nil {}
            }
            throw EngineError.silent(asked: request.target)
        } catch is Well {
            return
        }
    }
}
