import PMSystem

/// Notices that the file of the daemon's socket was removed: without it no client can connect.
///
/// `git clean` and `rsync --delete` remove it with other files that they do not know, and logind empties a user's runtime
/// directory at the last logout.
@PMActor
final class SocketFileWatch {
    private let path: String
    private let reactor: Reactor
    private let onLost: @PMActor () -> Void
    private var watch: DirectoryWatch?

    init(_ path: String, reactor: Reactor, onLost: @escaping @PMActor () -> Void) {
        self.path = path
        self.reactor = reactor
        self.onLost = onLost
    }

    /// Watches the file that is there now.
    ///
    /// - Throws: `SystemError`; ENOENT when it is gone already.
    func start() throws(SystemError) {
        let watch = try DirectoryWatch()
        try watch.addFile(path)
        try reactor.watch(watch.raw, .readable) { [weak self] _ in self?.look() }
        self.watch = consume watch
    }

    /// Watches no more.
    func end() {
        if let raw = watch?.raw { reactor.unwatch(raw) }
        watch = nil
    }

    private func look() {
        watch?.drain()
        // A folder that cannot be looked into has no socket for clients either.
        guard (try? Files.entry(path))?.kind != .socket else { return }  // as said
        end()
        onLost()
    }
}
