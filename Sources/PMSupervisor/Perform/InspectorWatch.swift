import PMLogs
import PMModel
import PMSystem

/// The inspector of one unit: the URL at which a debugger reaches the present incarnation.
@PMActor
final class InspectorWatch {
    /// True when the present incarnation runs under an inspector.
    private(set) var isOn = false
    /// The URL that Node has printed; nil as long as it has not.
    private(set) var url: String?
    private var waiting: [@PMActor () -> Void] = []

    /// Node's sentence, as all of its versions since 8 print it.
    private static let sentence = Array("Debugger listening on ws://".utf8)
    /// Limit of a URL in bytes.
    private static let longestURL = 512

    /// A new incarnation starts.
    func start(isOn: Bool) {
        self.isOn = isOn
        url = nil
        if !isOn { tell() }
    }

    /// The incarnation of an earlier daemon goes on.
    func adopt(isOn: Bool) { self.isOn = isOn }

    /// The URL that an earlier daemon has seen.
    func adopt(_ url: String) { if isOn { self.url = url } }

    /// The incarnation has ended.
    func end() {
        isOn = false
        url = nil
        tell()
    }

    /// Reads the URL from the output; calls `found` with it once.
    func observe(_ capture: LogCapture, _ found: @escaping @PMActor (String) -> Void) {
        guard isOn else { return }
        capture.observeLines(for: .inspector) { [weak self] line in
            guard let self else { return false }
            // A line that has not ended could hold half of the URL.
            guard line.stream == .err, line.end != .unfinished, let url = Self.url(in: line.bytes) else { return true }
            self.url = url
            found(url)
            tell()
            return false
        }
    }

    /// Calls `body` when the URL is known or no inspector runs; at once if that is so.
    func whenKnown(_ body: @escaping @PMActor () -> Void) {
        if isOn, url == nil { waiting.append(body) } else { body() }
    }

    private func tell() {
        let bodies = waiting
        waiting = []
        for body in bodies { body() }
    }

    /// The URL in a line of Node; nil for other lines.
    static func url(in line: [UInt8]) -> String? {
        guard line.starts(with: sentence) else { return nil }
        let text = line.dropFirst(sentence.count - "ws://".utf8.count)
        guard text.count <= longestURL, text.allSatisfy({ (0x21..<0x7f).contains($0) }) else { return nil }
        return String(decoding: text, as: UTF8.self)
    }
}

extension Instance {
    /// Options of the next start: the daemon's use of the inspector holds where the start has none.
    var effectiveOptions: RunOptions {
        var effective = options
        if effective.inspection == .none, unit.definition.runtime.isOfNode {
            effective.inspection = context.inspection
        }
        return effective
    }

    /// Settings of the present incarnation: no deadline holds while somebody debugs it.
    var settings: UnitSettings {
        var settings = unit.settings
        settings.isInspected = inspector.isOn
        return settings
    }

    /// Reads the inspector's URL, for the status and for those who wait.
    func observeInspector(_ capture: LogCapture) {
        inspector.observe(capture) { [weak self] url in
            guard let self else { return }
            supervisor.resources.rememberInspector(name, url)
        }
    }
}

extension Supervisor {
    /// Calls `body` when a unit's inspector listens or none runs, at the latest after a time.
    public func whenInspectorListens(_ name: String, within limit: Duration, _ body: @escaping @PMActor () -> Void) {
        guard let inspector = instances[name]?.inspector else { return body() }
        var isDone = false
        let once: @PMActor () -> Void = {
            guard !isDone else { return }
            isDone = true
            body()
        }
        inspector.whenKnown(once)
        if !isDone { _ = resources.reactor.after(limit, once) }
    }

    /// True when a unit runs under an inspector.
    public func hasInspector(_ name: String) -> Bool { instances[name]?.inspector.isOn ?? false }

    /// Takes over the URL of an inspector that an earlier daemon has seen.
    public func restoreInspector(_ url: String, of name: String) { instances[name]?.inspector.adopt(url) }

    /// The options with which a unit starts next.
    public func effectiveOptions(of name: String) -> RunOptions {
        instances[name]?.effectiveOptions ?? RunOptions(inspection: resources.inspection)
    }
}
