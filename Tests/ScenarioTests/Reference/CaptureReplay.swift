import JSON
import PMSystem
import PMTestSupport
import Testing

/// Frames that were seen between the reference (@akala/pm), its clients and its containers, said again to our daemon.
///
/// `Tests/Fixtures/reference` has one file for each scene, a frame a line: who says it to whom, and the message, or the
/// text or bytes where it matters how they are cut. What `pm` says is expected of our daemon; everything else is sent.
final class CaptureReplay {
    private let project: TestProject
    private var wires: [String: LineClient] = [:]
    /// Frames that came while another was waited for.
    private var early: [String: [JSONValue]] = [:]
    /// Requests under way, by wire and id, and whose they are.
    private var requests: [String: (method: String, params: JSONValue?)] = [:]
    /// Bytes that ended within a line, by wire.
    private var torn: [String: [UInt8]] = [:]
    /// The daemon's own ids and names for bridges, by those in the capture.
    private var names: [String: JSONValue] = [:]
    /// Questions that our daemon does not ask: their answers are not given.
    private var unasked: Set<String> = []
    /// How our daemon's frames are not those of the capture.
    private(set) var differences: Set<String> = []
    /// Says whether a question of the capture is one that our daemon does not ask.
    private let isUnasked: (_ method: String, _ params: JSONValue?) -> Bool

    init(_ project: TestProject, without isUnasked: @escaping (String, JSONValue?) -> Bool = { _, _ in false }) {
        self.project = project
        self.isUnasked = isUnasked
    }

    /// The frames of a scene.
    static func frames(_ scene: String) throws -> [JSONValue] {
        let text = String(decoding: try Files.read(TestPaths.fixture("reference/\(scene).jsonl")), as: UTF8.self)
        return try text.split(separator: "\n").map { try JSONValue(parsing: String($0)) }
    }

    /// Says a scene again, in the order in which it was seen.
    func play(_ scene: String) throws {
        for frame in try Self.frames(scene) {
            let (from, to) = (frame["from"]?.string ?? "", frame["to"]?.string ?? "")
            if from == "pm" {
                try expect(frame["message"] ?? .null, on: to)
            } else if let text = frame["text"]?.string {
                try say(Array(text.utf8), on: from)
            } else if let bytes = frame["bytes"]?.array {
                try say(bytes.map { UInt8(truncatingIfNeeded: $0.int ?? 0) }, on: from)
            } else {
                try say(frame["message"] ?? .null, on: from)
            }
        }
    }

    /// Shows that nothing came that the capture has not: the next thing on each wire is the answer to a question.
    ///
    /// What is joined by a bridge has no daemon to ask.
    func expectSilence(except joined: Set<String> = []) throws {
        for (name, wire) in wires where !joined.contains(name) {
            try wire.send(#"{"id":"silence","method":"name","params":[],"jsonrpc":"2.0"}"#)
            let next = early[name]?.first ?? wire.json()
            #expect(next?["id"]?.string == "silence", "\(name) got more: \(next?.text ?? "the end")")
        }
    }

    /// Speaks as the container that the daemon started, once it is there.
    func wire(_ name: String) throws -> LineClient {
        if let wire = wires[name] { return wire }
        guard name == "container" else {
            let wire = try LineClient(project.socket)
            wires[name] = wire
            return wire
        }
        try until("the container listens") {
            // Until then there is no socket, or one that refuses.
            wires[name] = try? LineClient(project.directory + "/container.sock")
            return wires[name] != nil
        }
        return try #require(wires[name])
    }

    // MARK: what is said

    /// Sends bytes, and remembers the requests in them, to name differences after them.
    private func say(_ bytes: [UInt8], on name: String) throws {
        let lines = (torn[name, default: []] + bytes).split(separator: 10, omittingEmptySubsequences: false)
        torn[name] = Array(lines.last ?? [])
        for line in lines.dropLast() {
            // Some are not JSON, on purpose.
            guard let message = try? JSONValue(parsing: String(decoding: line, as: UTF8.self)) else { continue }
            for one in message.array ?? [message] { note(one, on: name) }
        }
        try wire(name).send(bytes)
    }

    private func note(_ message: JSONValue, on wire: String) {
        guard let method = message["method"]?.string else { return }
        requests["\(wire) \(message["id"]?.text ?? "")"] = (method, message["params"])
    }

    private func say(_ message: JSONValue, on name: String) throws {
        let key = "\(name) \(message["id"]?.text ?? "")"
        if message["method"] == nil && unasked.contains(key) { return }
        note(message, on: name)
        var ours = message
        if message["method"] == nil, let id = names[key], case .object(var members) = message {
            members["id"] = id
            ours = .object(members)
        }
        try wire(name).send(replaced(ours).text)
    }

    /// A message with our daemon's names for bridges, and the project's folder.
    private func replaced(_ value: JSONValue) -> JSONValue {
        switch value {
        case .string(let text): names["bridge \(text)"] ?? .string(text.replacing("/srv/app", with: project.directory))
        case .array(let values): .array(values.map(replaced))
        case .object(let members): .object(JSONObject(members.map { ($0.key, replaced($0.value)) }))
        case .null, .bool, .number: value
        }
    }

    // MARK: what is expected

    private func expect(_ captured: JSONValue, on name: String) throws {
        guard let method = captured["method"]?.string else { return try expectAnswer(captured, on: name) }
        // Through a bridge come other people's requests as they are.
        if name == "bridge" {
            #expect(try next(on: name) { $0["method"] != nil } == replaced(captured))
            return
        }
        let key = "\(name) \(captured["id"]?.text ?? "")"
        guard !isUnasked(method, captured["params"]) else {
            unasked.insert(key)
            differences.insert("\(method) \(captured["params"]?.text ?? "") to the \(name): not asked")
            return
        }
        let ours = try next(on: name) { $0["method"]?.string == method }
        names[key] = ours["id"]
        if method == "$bridge", let bridge = captured["params"]?[0]?.string {
            names["bridge \(bridge)"] = ours["params"]?[0]
        } else {
            find(captured["params"] ?? .null, ours["params"] ?? .null, "\(method) params")
        }
    }

    private func expectAnswer(_ captured: JSONValue, on name: String) throws {
        let id = captured["id"]
        let method = requests["\(name) \(id?.text ?? "")"]?.method ?? "line"
        let ours = try next(on: name) { $0["method"] == nil && $0["id"] == id }
        find(captured, ours, method)
        // The frames behind the first one of a stream, which the reference never sends.
        while ours["stream"] != nil, captured["stream"] == nil {
            guard try next(on: name, { $0["id"] == id })["stream"] == nil else { break }
        }
    }

    /// The next frame that fulfils a condition; what comes before it is kept.
    private func next(on name: String, _ condition: (JSONValue) -> Bool) throws -> JSONValue {
        if let place = early[name]?.firstIndex(where: condition) {
            return early[name]?.remove(at: place) ?? .null
        }
        while let frame = try wire(name).json() {
            if condition(frame) { return frame }
            early[name, default: []].append(frame)
        }
        throw TestFailure("\(name) gets nothing more; it got \(early[name]?.map(\.text) ?? [])")
    }

    // MARK: differences

    /// Compares, and notes what differs: where, and what is there instead.
    func find(_ captured: JSONValue, _ ours: JSONValue, _ path: String) {
        compare(captured, generic(ours), path)
    }

    private func compare(_ captured: JSONValue, _ ours: JSONValue, _ path: String) {
        switch (captured, ours) {
        case (.object(let theirs), .object(let mine)):
            for (key, value) in theirs {
                if let own = mine[key] { compare(value, own, "\(path) \(key)") } else { differ(path, key, "missing") }
            }
            for (key, _) in mine where theirs[key] == nil { differ(path, key, "added") }
        case (.array(let theirs), .array(let mine)): compare(Self.named(theirs), Self.named(mine), path)
        case (.string, .string) where path.hasSuffix(" stack"): break
        default: if captured != ours { differences.insert("\(path): \(captured.text) → \(ours.text)") }
        }
    }

    private func differ(_ path: String, _ key: String, _ how: String) {
        differences.insert("\(path) \(key): \(how)")
    }

    /// A message with the folder of the capture instead of the project's.
    private func generic(_ value: JSONValue) -> JSONValue {
        func generic(_ text: String) -> String { text.replacing(project.directory, with: "/srv/app") }
        return switch value {
        case .string(let text): .string(generic(text))
        case .array(let values): .array(values.map(self.generic))
        case .object(let members): .object(JSONObject(members.map { (generic($0.key), self.generic($0.value)) }))
        case .null, .bool, .number: value
        }
    }

    /// A list as an object: its elements by their names, or else by their places; of commands of the daemon, what they
    /// are to a command line.
    private static func named(_ values: [JSONValue]) -> JSONValue {
        .object(
            JSONObject(
                values.enumerated().map { place, value in
                    guard let name = value["name"]?.string else { return ("\(place)", value) }
                    guard let config = value["config"], !name.contains(".") else { return (name, value) }
                    return (name, command(config))
                }))
    }

    /// What the reference's command line makes of a command: its words and options, and where it puts them.
    private static func command(_ config: JSONValue) -> JSONValue {
        guard let cli = config["cli"], let from = cli["inject"]?.array else { return "not of command lines" }
        var options = JSONObject()
        for (name, option) in cli["options"]?.object ?? JSONObject() {
            let value = option["needsValue"]?.bool == true ? "with a value" : "alone"
            options[name] = .string(
                ([value] + (option["aliases"]?.array ?? []).compactMap(\.string)).joined(separator: ", "))
        }
        let targets = config[""]?["inject"]?.array ?? []
        let sends = zip(from, targets).filter { $0.1.string?.hasPrefix("params.") == true }.map {
            ($0.1.string ?? "", $0.0)
        }
        return [
            "usage": cli["usage"] ?? .null, "options": .object(options),
            "sends": .object(JSONObject(sends)),
        ]
    }
}
