import PMModel
import PMSystem

/// Notices that the file of the configuration has another content, or that it or its folder was renamed, replaced or removed
/// (inotify(7)). While nothing of that happens it costs no wake-up.
@PMActor
final class ConfigWatch {
    private let path: String
    private let reactor: Reactor
    private let onChange: @PMActor () -> Void
    private let onTrouble: @PMActor (String) -> Void
    private var watch: DirectoryWatch?
    private var isPlanned = false
    private var hasEnded = false

    /// Time from an event to the look: a save is several events.
    private static let pause = Duration.milliseconds(20)

    init(
        _ path: String, reactor: Reactor, onTrouble: @escaping @PMActor (String) -> Void,
        onChange: @escaping @PMActor () -> Void
    ) {
        (self.path, self.reactor, self.onChange, self.onTrouble) = (path, reactor, onChange, onTrouble)
    }

    /// Begins to watch what is there now.
    func start() {
        do throws(SystemError) {
            let watch = try DirectoryWatch()
            try add(to: watch)
            try reactor.watch(watch.raw, .readable) { [weak self] _ in self?.plan() }
            self.watch = consume watch
        } catch {
            onTrouble("changes of \(path) are noticed only when a command reads it: \(error)")
        }
    }

    /// Watches no more.
    func end() {
        hasEnded = true
        close()
    }

    /// The file and its folder; the nearest folder that is there while one of them is missing.
    private func add(to watch: borrowing DirectoryWatch) throws(SystemError) {
        let folder = Paths.directory(of: path)
        if try Files.status(path) != nil {
            try watch.addContent(of: path)
            return try watch.addPlace(of: folder)
        }
        var directory = folder
        while try Files.status(directory)?.kind != .directory, directory != "/" {
            directory = Paths.directory(of: directory)
        }
        try watch.add(directory)
    }

    private func close() {
        if let raw = watch?.raw { reactor.unwatch(raw) }
        watch = nil
    }

    private func plan() {
        watch?.drain()
        guard !isPlanned else { return }
        isPlanned = true
        reactor.after(Self.pause) { [weak self] in self?.look() }
    }

    /// Watches what is there now before the look, so that no change is missed.
    private func look() {
        isPlanned = false
        guard !hasEnded else { return }
        reactor.attribute("a change of the configuration's file")
        close()
        start()
        onChange()
    }
}
