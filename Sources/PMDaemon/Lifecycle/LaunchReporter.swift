import Glibc
import PMSystem

/// Reports the daemon's progress to its launcher, over the status pipe; a restarted daemon has
/// none, and then nothing happens.
@PMActor
final class LaunchReporter {
    private var pipe: OwnedFD?

    /// True when somebody waits for the start; a daemon that pm-init or the machine starts has nobody.
    var isWaitedFor: Bool { pipe != nil }

    /// Takes the descriptor of the environment, if there is one, so that no service inherits it.
    init() {
        guard let text = getenv(StatusLine.variable), let number = Int32(String(cString: text)), number > 2 else {
            return
        }
        unsetenv(StatusLine.variable)
        // A number that is no descriptor is somebody else's variable.
        guard fcntl(number, F_SETFD, FD_CLOEXEC) == 0 else { return }
        pipe = OwnedFD(owning: number)
    }

    /// The configuration is loaded.
    func loaded() { write(.loaded) }

    /// The socket serves; no more reports follow.
    func serving() {
        write(.serving)
        pipe = nil
    }

    /// Reports that it cannot start; no other report follows.
    func failed(_ code: Int32, _ message: String) {
        write(.failed(code: code, message: message))
        pipe = nil
    }

    private func write(_ line: StatusLine) {
        guard let number = pipe?.raw else { return }
        // The launcher may have gone; that is no reason to stop.
        try? Files.write(line.text.utf8, to: number, named: "status pipe")
    }
}
