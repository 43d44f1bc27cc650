import Glibc
import PMAPI
import PMConfig
import PMModel
import PMSystem

/// The text of the configuration that is meant, right or wrong, for a person who edits it.
struct ConfigurationText {
    /// The file.
    let path: String
    /// Content of the file when it was read.
    let bytes: [UInt8]
    private let values: ConfigValues
    /// The folder for the content before the change, where the file is under version control.
    private let stateDirectory: String
    private static let limit = 16 << 20

    /// Reads the file that is meant.
    init(_ session: CommandContext) throws(APIError) {
        guard session.target.socket == nil else {
            throw .badRequest("this command edits the configuration's file, not a daemon", hint: "give --config FILE")
        }
        guard let location = try session.locator().location() else {
            throw .notFound("there is no \(DaemonLocation.configName) here or above", hint: "pm start pm makes one")
        }
        path = location.configFile
        stateDirectory = location.stateDirectory
        values = .forEditing(variables: session.environment, profile: session.profile(nil))
        do throws(SystemError) {
            bytes = try Files.read(path, limit: Self.limit)
        } catch {
            throw APIError(error, doing: "edit the configuration")
        }
    }

    /// Faults and oddities of a new content, in the words of `pm check`.
    func problems(of text: [UInt8]) -> [ConfigProblem] {
        do throws(ConfigError) {
            return try ConfigFile(path: path, bytes: text, values: values).warnings
        } catch {
            return ConfigFile.problems(path: path, bytes: text, values: values) ?? error.problems
        }
    }

    /// Replaces the content in one step, under the lock that every change of pm takes; false when it is another one by now.
    func replace(with text: [UInt8]) throws(APIError) -> Bool {
        struct IsOther: Error {}
        do {
            var file = try AtomicFile(path)
            file.limit = Self.limit
            if let previous = ConfigStore.previousPath(of: path, keptIn: stateDirectory) {
                try Files.makeDirectories(stateDirectory)
                file.previousPath = previous
            }
            _ = try file.update { old in
                guard old?.bytes == bytes else { throw IsOther() }
                return text
            }
            return true
        } catch is IsOther {
            return false
        } catch let error as AtomicFileError {
            throw APIError(500, "cannot change \(path): \(error)", hint: "your copy is kept beside it")
        } catch let error as SystemError {
            throw APIError(error, doing: "change \(path)")
        } catch {
            throw APIError(500, "cannot change \(path): \(error)")
        }
    }
}

/// The copy that a person edits, beside the file: relative paths mean the same there, and it is on the same disk.
struct EditedCopy {
    /// The copy.
    let path: String

    /// Writes it, for this user alone: it may hold secrets.
    init(of file: ConfigurationText) throws(APIError) {
        path = "\(file.path).edit-\(getpid()).json"
        do throws(SystemError) {
            try Files.replace(path, with: file.bytes)
        } catch {
            throw APIError(error, doing: "make a copy of the configuration to edit")
        }
    }

    /// The content now.
    func read() throws(APIError) -> [UInt8] {
        do throws(SystemError) {
            return try Files.read(path, limit: 16 << 20)
        } catch {
            throw APIError(error, doing: "read the edited copy")
        }
    }

    /// Removes it.
    func remove() throws(APIError) {
        do throws(SystemError) {
            try Files.remove(path)
        } catch {
            throw APIError(error, doing: "remove the edited copy")
        }
    }
}

/// The editor of the user.
struct Editor {
    private let command: String
    private let environment: [String: String]

    /// `VISUAL`, else `EDITOR`, else vi.
    init(_ environment: [String: String]) {
        let named = ["VISUAL", "EDITOR"].lazy.compactMap { environment[$0] }.first { !$0.isEmpty }
        command = named ?? "vi"
        self.environment = environment
    }

    /// Runs it on a file and waits for its end. The variable is a command line of the shell, as all programs take it.
    ///
    /// - Throws: a 500 when it cannot be started or fails: then nothing of its work is taken.
    func run(_ path: String) throws(APIError) {
        let status: Int32
        do throws(SystemError) {
            let variables = environment.map { "\($0.key)=\($0.value)" }
            let script = "\(command) \"$1\""
            let shell = ChildProcess(path: "/bin/sh", arguments: ["-c", script, "sh", path], environment: variables)
            // ^C is for the editor.
            let before = signal(SIGINT, SIG_IGN)
            defer { signal(SIGINT, before) }
            status = Self.wait(for: try shell.start())
        } catch {
            throw APIError(error, doing: "start the editor \(command)")
        }
        guard status == 0 else {
            throw APIError(
                500, "the editor \(command) failed with status \(status), so the file stays as it was",
                hint: "your copy is \(path); VISUAL or EDITOR names another editor")
        }
    }

    /// The exit code, or 128 and the signal as in a shell.
    private static func wait(for process: pid_t) -> Int32 {
        var status: Int32 = 0
        while waitpid(process, &status, 0) < 0, errno == EINTR {}
        let number = status & 0x7F
        return number == 0 ? status >> 8 & 0xFF : 128 + number
    }
}
