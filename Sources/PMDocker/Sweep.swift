import JSON
import PMSystem

/// Removes containers whose driver is gone: it was killed, or the whole service with it.
struct Sweep: Sendable {
    private let engine: Engine
    private let owner: String

    init(_ engine: Engine, owner: String) {
        self.engine = engine
        self.owner = owner
    }

    /// Looks at all containers of this daemon; tells of each that was removed.
    ///
    /// - Throws: `EngineError`, or `SystemError` without a readable /proc.
    func run() async throws {
        let filters: JSONValue = ["label": [.string("\(ContainerLabel.owner)=\(owner)")]]
        let query = [("all", "1"), ("filters", filters.text)]
        let answer = try await engine.send(EngineRequest(verb: .get, path: "/containers/json", query: query))
        for entry in answer.body.array ?? [] {
            guard let id = entry["Id"]?.string, let labels = entry["Labels"] else { continue }
            if try DriverIdentity(label: labels[ContainerLabel.driver]?.string ?? "").isAlive { continue }
            try await Container(engine, name: id).remove()
            labels[ContainerLabel.folder]?.string.flatMap { ChannelFolder(inner: $0) }?.remove()
            Report.line(
                "removed the container of \(labels[ContainerLabel.service]?.string ?? "?"), whose driver is gone")
        }
    }
}
