import PMConfig
import PMModel
import PMSystem

/// Changes of the configuration in the order of their requests. A change is made at once; while another program writes
/// the file, the change and its followers are tried again by timer, so that no other work waits.
@PMActor
final class ConfigEdits {
    typealias Completion = @PMActor (Result<ConfigFile, ConfigError>) -> Void

    private struct Waiting {
        let edits: [ConfigEdit]
        let until: MonotonicTime
        let done: Completion
    }

    /// Time that a change waits for other programs.
    private let timeout: Duration
    private static let pause = Duration.milliseconds(5)

    private let store: ConfigStore
    private let reactor: Reactor
    private var waiting: [Waiting] = []

    /// Takes a store that does not wait itself.
    init(_ store: ConfigStore, _ reactor: Reactor, timeout: Duration = .seconds(3)) {
        (self.store, self.reactor, self.timeout) = (store, reactor, timeout)
    }

    /// Makes changes, all or none; `done` gets the new content of the file.
    func make(_ edits: [ConfigEdit], _ done: @escaping Completion) {
        let one = Waiting(edits: edits, until: reactor.clock.monotonic() + timeout, done: done)
        guard waiting.isEmpty else { return waiting.append(one) }
        guard !attempt(one) else { return }
        waiting.append(one)
        plan()
    }

    private func plan() {
        reactor.after(Self.pause) { [weak self] in self?.goOn() }
    }

    private func goOn() {
        reactor.attribute("a change of the configuration")
        precondition(!waiting.isEmpty, "a change of the configuration is tried again that nobody waits for")
        // One change in a turn: each writes the file and waits for the disk.
        if attempt(waiting[0]) { waiting.removeFirst() }
        if !waiting.isEmpty { plan() }
    }

    /// True when the change was made, or was refused for good.
    private func attempt(_ one: Waiting) -> Bool {
        do throws(ConfigError) {
            one.done(.success(try store.edit(one.edits)))
        } catch {
            if error.kind == .locked, reactor.clock.monotonic() < one.until { return false }
            one.done(.failure(error))
        }
        return true
    }
}
