import PMConfig
import PMModel
import PMSystem

/// Reads and changes the configuration file on a thread beside the loop, one after the other, changes in the order of their
/// requests.
///
/// While another program writes the file, the first change is tried again by timer, so that no other work waits.
@PMActor
final class ConfigEdits {
    typealias Completion = @PMActor (Result<ConfigContent, ConfigError>) -> Void

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
    private let background: BackgroundQueue
    private var waiting: [Waiting] = []
    /// True while the first change is being made, or waits for another program.
    private var isMaking = false

    /// Takes a store that does not wait itself; `onEnd` is called after each read and each try of a change.
    init(
        _ store: ConfigStore, _ reactor: Reactor, timeout: Duration = .seconds(3),
        onEnd: @escaping @PMActor () -> Void = {}
    ) {
        (self.store, self.reactor, self.timeout) = (store, reactor, timeout)
        background = BackgroundQueue(onEnd: onEnd)
    }

    /// True while the file is read or changed; false while a change waits for another program.
    var isBusy: Bool { background.isBusy }

    /// Makes changes, all or none; `done` gets the new content of the file once it is durable.
    func make(_ edits: [ConfigEdit], _ done: @escaping Completion) {
        waiting.append(Waiting(edits: edits, until: reactor.clock.monotonic() + timeout, done: done))
        if !isMaking { makeNext() }
    }

    /// Reads the file. Changes that were requested earlier and wait for another program are not in it.
    func read(_ done: @escaping Completion) {
        background.run { [store] in
            Self.result { () throws(ConfigError) in try store.load() }
        } then: {
            [reactor] result in
            reactor.attribute("a change of the configuration")
            done(result)
        }
    }

    /// Waits for what is being read or changed: for the end of the daemon.
    func finish() { background.finish() }

    private func makeNext() {
        guard let first = waiting.first else { return }
        isMaking = true
        let edits = first.edits
        background.run { [store] in
            Self.result { () throws(ConfigError) in try store.edit(edits) }
        } then: {
            [weak self] result in
            self?.tried(result)
        }
    }

    private func tried(_ result: Result<ConfigContent, ConfigError>) {
        reactor.attribute("a change of the configuration")
        precondition(!waiting.isEmpty, "a change of the configuration was made that nobody waits for")
        if case .failure(let error) = result, error.kind == .locked, reactor.clock.monotonic() < waiting[0].until {
            reactor.after(Self.pause) { [weak self] in self?.makeNext() }
            return
        }
        let one = waiting.removeFirst()
        isMaking = false
        one.done(result)
        if !isMaking { makeNext() }
    }

    /// The tree of the text is freed by the thread that has made it.
    private nonisolated static func result(
        _ body: () throws(ConfigError) -> ConfigFile
    ) -> Result<ConfigContent, ConfigError> {
        do throws(ConfigError) {
            return .success(ConfigContent(try body()))
        } catch {
            return .failure(error)
        }
    }
}
