import Glibc
import PMAPI
import PMConfig
import PMSystem

/// The messages of pm-init and pmd on the status pipe, for the program that launched them.
struct LaunchReport {
    let location: DaemonLocation
    let pipe: SharedFD
    let pid: pid_t
    /// Length of the daemon's own output before this start: the text up to there is about an earlier start.
    let logStart: Int

    /// Waits for a stage; throws what went wrong instead, or a 504 at the deadline.
    func wait(until stage: DaemonLauncher.Stage, _ deadline: Deadline) throws(APIError) {
        var text = ""
        while true {
            guard waitFor([(pipe.raw, Int32(POLLIN))], deadline) != nil else {
                throw .timeout("pm did not start in \((deadline.limit ?? .zero).shortForm)", output: finalOutput)
            }
            guard let piece = read() else { throw died() }
            text += piece
            while let newline = text.firstIndex(of: "\n") {
                let line = StatusLine(text[..<newline])
                text.removeSubrange(...newline)
                if let line, try reaches(line, stage) { return }
            }
        }
    }

    private func reaches(_ line: StatusLine, _ stage: DaemonLauncher.Stage) throws(APIError) -> Bool {
        switch line {
        case .loaded: return stage == .loaded
        case .serving: return true
        case .failed(let code, let message): throw failure(code, message)
        }
    }

    /// The next piece; nil at the end.
    private func read() -> String? {
        var bytes = [UInt8](repeating: 0, count: 4096)
        let count = Glibc.read(pipe.raw, &bytes, bytes.count)
        if count < 0 && (errno == EINTR || errno == EAGAIN) { return "" }
        return count > 0 ? String(decoding: bytes[..<count], as: UTF8.self) : nil
    }

    /// pm-init ends with EX_TEMPFAIL (75) when the lock is taken; pmd's codes are the exit codes of `pm`.
    private func failure(_ code: Int32, _ message: String) -> APIError {
        if code == EX_TEMPFAIL {
            return .conflict("pm is already running for \(location.configFile)", hint: "pm status")
        }
        let status =
            switch ExitCode(rawValue: code) {
            case .usage, .data: 400
            case .notFound: 404
            case .notPermitted: 403
            case .conflict: 409
            case .timeout: 504
            case .serviceFailed, .notRunning: 502
            case .success, .failure, nil: 500
            }
        // The last line may be a hint.
        var lines = message.split(separator: "\n")
        var hint: String?
        if let last = lines.last, last.hasPrefix("hint: ") { hint = String(lines.removeLast().dropFirst(6)) }
        return APIError(
            status, "pm did not start: \(lines.joined(separator: "\n"))", hint: hint,
            output: status == 400 ? [] : finalOutput)
    }

    private func died() -> APIError {
        APIError(
            500, "pm did not start: the daemon ended without an error message",
            hint: "its output is in \(location.daemonLogPath)",
            output: finalOutput)
    }

    /// The last lines of the daemon's own output.
    private var finalOutput: [String] {
        // Only an addition to an error that is reported anyway: without the file it is shorter.
        guard let bytes = try? Files.read(location.daemonLogPath) else { return [] }
        return bytes.dropFirst(logStart).split(separator: UInt8(ascii: "\n")).suffix(10).map {
            String(decoding: $0, as: UTF8.self)
        }
    }
}
