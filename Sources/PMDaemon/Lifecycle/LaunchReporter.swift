import Glibc
import PMSystem

/// Tells whoever launched the daemon how far it has come, over the descriptor in PM_STATUS_FD; a restarted daemon has
/// none, and then nothing happens.
@PMActor
final class LaunchReporter {
    private var pipe: OwnedFD?

    /// Takes the descriptor of the environment, if there is one, so that no service inherits it.
    init() {
        guard let text = getenv("PM_STATUS_FD"), let number = Int32(String(cString: text)), number > 2 else { return }
        unsetenv("PM_STATUS_FD")
        // A number that is no descriptor is somebody else's variable.
        guard fcntl(number, F_SETFD, FD_CLOEXEC) == 0 else { return }
        pipe = OwnedFD(owning: number)
    }

    /// The configuration is loaded.
    func loaded() { write("L\n") }

    /// The socket serves; nothing more will be told.
    func serving() {
        write("S\n")
        pipe = nil
    }

    /// It cannot start; nothing more will be told.
    func failed(_ code: Int32, _ message: String) {
        write("E \(code) \(message)\n")
        pipe = nil
    }

    private func write(_ text: String) {
        guard let number = pipe?.raw else { return }
        // Whoever launched the daemon may have gone; that is no reason to stop.
        try? Files.write(text.utf8, to: number, named: "status pipe")
    }
}
