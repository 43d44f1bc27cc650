import PMConfig
import PMModel
import PMSystem

/// The last configuration without errors, kept in the state directory: a daemon that finds a broken file, or none, goes on with it.
@PMActor
final class LastConfiguration {
    private let config: String
    /// The state directory.
    let directory: String
    private let path: String
    private let values: ConfigValues
    private let reactor: Reactor
    private let onTrouble: @PMActor (String) -> Void
    private var pending: [UInt8]?
    private let background = BackgroundQueue()
    private let isLaunched: Bool

    /// Time from a change to the write: commands often make several changes.
    private static let pause = Duration.milliseconds(100)
    /// The longest content that is read, in bytes.
    private nonisolated static let longest = 16 << 20

    /// Keeps the configuration `config`; a state directory may be shared, so the name has the path's fingerprint.
    ///
    /// - Parameter isLaunched: true when somebody waits for the daemon's start, and wants a new file where there is none.
    init(
        _ options: DaemonOptions, reactor: Reactor, isLaunched: Bool, onTrouble: @escaping @PMActor (String) -> Void
    ) {
        (config, directory, self.values) = (options.config, options.state, options.values)
        path = "\(options.state)/configuration-\(Fingerprint(of: config).digits).json"
        (self.reactor, self.isLaunched, self.onTrouble) = (reactor, isLaunched, onTrouble)
    }

    /// True when what was kept is used where the file is missing.
    var replacesMissing: Bool { !isLaunched && load() != nil }

    /// What was kept, read as the content of the configuration; nil when there is none that can be used.
    func load() -> ConfigFile? {
        // What is missing or was torn by a power cut is as if nothing had been kept.
        guard let bytes = try? Files.read(path, limit: Self.longest) else { return nil }
        return try? ConfigFile(path: config, bytes: bytes, values: values)  // as said
    }

    /// Keeps a content that is good, soon.
    func keep(_ bytes: [UInt8]) {
        let isPlanned = pending != nil
        pending = bytes
        if !isPlanned { reactor.after(Self.pause) { [weak self] in self?.write() } }
    }

    /// Writes at once what is to be kept, and waits for it.
    func flush() {
        write()
        background.finish()
    }

    private func write() {
        guard let bytes = pending else { return }
        pending = nil
        background.run { [path] () -> SystemError? in
            // Each start of a daemon keeps what it has read, and seldom is that another content. What cannot be read is written.
            guard (try? Files.read(path, limit: Self.longest)) != bytes else { return nil }
            do throws(SystemError) {
                try Files.replace(path, with: bytes)
                return nil
            } catch {
                return error
            }
        } then: { [onTrouble] error in
            guard let error else { return }
            onTrouble("the configuration cannot be kept for a start with a broken file: \(error)")
        }
    }

    /// Forgets what was kept if the file itself is gone: the next daemon then begins with a new one.
    func forgetIfRemoved() {
        do throws(SystemError) {
            guard try Files.status(config) == nil else { return }
            pending = nil
            try Files.remove(path)
        } catch {
            onTrouble("the configuration before stays in the state directory: \(error)")
        }
    }
}
