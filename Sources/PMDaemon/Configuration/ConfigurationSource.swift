import PMAPI
import PMConfig
import PMModel
import PMSystem

/// The configuration that the daemon uses: the last content of the file without errors, read again when the file has
/// changed.
///
/// Reading and writing happen beside the loop. A request that the configuration matters to waits here until the file has
/// been read as it was when the request came, and until earlier changes are made; requests go on in the order in which they came.
@PMActor
final class ConfigurationSource {
    private struct Waiting {
        /// The number of reads that had begun when it came: a later one is new enough.
        let readsBegun: Int
        let body: @PMActor () -> Void
    }

    let store: ConfigStore
    /// The folder that relative paths in the file start from.
    let directory: String
    /// The last content without errors, on the disk.
    let last: LastConfiguration?
    /// Content of the file; its text is not kept.
    private(set) var configuration: Configuration
    /// Why the file cannot be used at the moment, a sentence for each error; none while it can.
    private(set) var faults: [String] = []
    /// Keeps what it has made of the configuration, and so learns first that there is another one.
    private weak var cache: (any ConfigurationObserver)?
    private var observers: [any ConfigurationObserver] = []
    /// Makes events of what differs.
    private var differences: ConfigEvents?
    private var failure: APIError?
    private var warnings: [String] = []
    private var exposure: String?
    /// The version of the file that was read last, with or without errors; nil: the file has to be read again.
    private var version: ConfigFileVersion?
    private lazy var edits = ConfigEdits(store, reactor) { [weak self] in self?.goOn() }
    private let reactor: Reactor
    private var waiting: [Waiting] = []
    private var isGoingOn = false
    private var (readsBegun, readsEnded) = (0, 0)

    /// Reads the configuration; where it is broken, the last one without errors. Makes an empty one where there is none
    /// and somebody launches a daemon. This happens before the loop's first turn.
    ///
    /// - Throws: `ConfigError` when it cannot be read or has errors, and there is no earlier one.
    init(
        path: String, values: ConfigValues, reactor: Reactor, last: LastConfiguration?
    ) throws(ConfigError) {
        (self.reactor, self.last) = (reactor, last)
        var store = try ConfigStore(path: path, values: values, lockTimeout: .zero)
        if let last { store.keepPrevious(in: last.directory) }
        self.store = store
        // Before it is read: what is saved meanwhile is another version.
        version = ConfigFileVersion.now(of: path)
        let file: ConfigFile
        do throws(ConfigError) {
            // The earlier content is read and checked only where the file is missing.
            let isReplaced = version == nil && last?.replacesMissing == true
            file = isReplaced ? try store.load() : try store.loadOrCreate()
        } catch {
            guard let earlier = last?.load() else { throw error }
            file = earlier
            version = nil
            faults = ConfigSentences.of(error, path)
            failure = APIError(configuration: error)
        }
        directory = file.directory
        configuration = Configuration()
        use(ConfigContent(file), isWhole: failure == nil)
    }

    /// Names who keeps what it has made of the configuration.
    func connect(cache: any ConfigurationObserver) { self.cache = cache }

    /// Names those who learn of changes, in this order.
    func connect(_ observers: [any ConfigurationObserver], _ differences: ConfigEvents?) {
        (self.observers, self.differences) = (observers, differences)
    }

    private func tell(_ change: ConfigurationChange) {
        if !change.isEmpty { differences?.changed(change) }
        for observer in observers { observer.configurationChanged() }
    }

    /// What is wrong with the file: it cannot be used, or something in it is probably not meant.
    var problems: [String] {
        faults.isEmpty ? warnings + [exposure].compactMap { $0 } : faults + ["pm goes on with the configuration before"]
    }

    /// Refuses a request that needs the file, as it was read last, while it cannot be used.
    ///
    /// - Throws: a 400 with all errors of the file, or why it cannot be read.
    func requireUsable() throws(APIError) {
        if let failure { throw failure }
    }

    // MARK: in turn

    /// Calls `body` when the configuration is at least as new as the file is now, whether or not it can be used: at once where
    /// the file has not changed and nobody waits.
    func whenCurrent(_ body: @escaping @PMActor () -> Void) {
        if waiting.isEmpty, !edits.isBusy, isCurrent { return body() }
        waiting.append(Waiting(readsBegun: readsBegun, body: body))
        goOn()
    }

    private var isCurrent: Bool { version != nil && version == ConfigFileVersion.now(of: store.path) }

    /// Time for waiting requests in one turn.
    private static let share = Duration.milliseconds(5)

    private func goOn() {
        guard !isGoingOn else { return }
        isGoingOn = true
        defer { isGoingOn = false }
        let end = reactor.clock.monotonic() + Self.share
        while let first = waiting.first, !edits.isBusy {
            guard readsEnded > first.readsBegun || isCurrent else { return read() }
            guard reactor.clock.monotonic() < end else {
                reactor.after(.zero) { [weak self] in self?.goOn() }
                return
            }
            waiting.removeFirst()
            first.body()
        }
    }

    private func read() {
        readsBegun += 1
        // Before it is read, as above.
        let version = ConfigFileVersion.now(of: store.path)
        edits.read { [weak self] result in
            guard let self else { return }
            readsEnded += 1
            switch result {
            case .success(let content):
                self.version = version
                let (before, wasBroken) = (configuration, !faults.isEmpty)
                use(content)
                tell(ConfigurationChange(from: before, to: configuration))
                if wasBroken { differences?.faults([]) }
            case .failure(let error):
                // Errors of the text stay as long as the text does; those of the disk may be over at any moment.
                self.version = error.kind == .invalid ? version : nil
                let found = ConfigSentences.of(error, store.path)
                if found != faults { differences?.faults(found) }
                faults = found
                failure = APIError(configuration: error)
                warnings = []
            }
        }
    }

    private func use(_ content: ConfigContent, changedBy changes: [ConfigEdit]) {
        let before = configuration
        use(content)
        // Somebody may have saved since: that file is another one.
        version = content.version
        tell(ConfigurationChange(from: before, to: configuration, by: changes))
    }

    private func use(_ content: ConfigContent, isWhole: Bool = true) {
        if isWhole {
            (faults, failure, warnings) = ([], nil, content.warnings)
            last?.keep(content.bytes)
        }
        configuration = content.configuration
        exposure = content.exposure
        cache?.configurationChanged()
    }

    // MARK: changes

    /// Changes the file, and reports an error of the file or the disk: `done` is called when the change is durable.
    func edit(_ changes: [ConfigEdit], then done: @escaping @PMActor (Result<Void, APIError>) -> Void) {
        edits.make(changes) { [weak self] result in
            switch result {
            case .success(let content):
                self?.use(content, changedBy: changes)
                done(.success(()))
            case .failure(let error): done(.failure(APIError(configuration: error)))
            }
        }
    }

    /// Waits for what is being written: for the end of the daemon.
    func finish() {
        edits.finish()
        last?.flush()
    }
}

extension APIError {
    /// Makes the error of a wrong configuration, for a caller.
    init(configuration error: ConfigError) {
        switch error.kind {
        case .invalid: self = .badRequest(error.description, hint: error.hint)
        case .missing: self = .notFound(error.description, hint: error.hint)
        case .busy, .locked: self = .conflict(error.description, hint: error.hint)
        case .forbidden: self = .notPermitted(error.description, hint: error.hint)
        case .storage: self = APIError(500, error.description, hint: error.hint)
        }
    }
}
