import Glibc
import JSON
import PMAPI
import PMClient
import PMConfig
import PMModel
import PMSystem

/// One change of a daemon's packages, under a lock, taken whole or not at all.
struct PackageChange {
    /// The folder.
    let folder: PackageFolder
    /// The program that makes it.
    let manager: PackageManager
    private let stage: PackageStage
    private let lock: SharedFD
    private let environment: [String: String]

    /// The folder in which the new packages are until the change is taken.
    var work: String { stage.work }

    /// Locks the folder and copies it.
    ///
    /// - Throws: a 409 while another program changes it.
    init(_ folder: PackageFolder, _ session: CommandContext) throws(APIError) {
        self.folder = folder
        environment = session.environment
        do throws(ConfigError) {
            try folder.location.makeDirectories(userID: geteuid())
        } catch {
            throw APIError(error)
        }
        let path = folder.location.stateDirectory + "/packages.lock"
        do throws(SystemError) {
            lock = try Files.lock(path)
        } catch {
            guard error.code == EWOULDBLOCK else { throw APIError(error, doing: "lock the packages") }
            throw .conflict(
                "another command changes the packages of \(folder.location.configFile)",
                hint: "try again; \"fuser \(path)\" names the program")
        }
        let stage = try PackageStage(folder.path)
        self.stage = stage
        do throws(APIError) {
            manager = try Self.manager(of: folder.path)
        } catch {
            try stage.revert(isCommitted: false)
            throw error
        }
    }

    /// The package manager of a folder.
    static func manager(of folder: String) throws(APIError) -> PackageManager {
        let declared = try PackageFolder.manifest(in: folder)?["packageManager"]?.string
        let files: [String]
        do throws(SystemError) {
            files = try Files.status(folder) == nil ? [] : try Files.list(folder)
        } catch {
            throw APIError(error, doing: "look at \(folder)")
        }
        return try PackageManager.used(by: declared, files: Set(files))
    }

    /// Does something with the packages; when it fails, all is as before.
    func attempt<T>(_ body: () throws(APIError) -> T) throws(APIError) -> T {
        do throws(APIError) {
            return try body()
        } catch {
            try stage.revert(isCommitted: false)
            throw error
        }
    }

    /// Installs packages. Scripts run as the package manager is configured; for root only those of `allowed`.
    func install(_ packages: [PackageSpec], allowing allowed: [String]) throws(APIError) {
        try run(manager.install(packages), hasScripts: geteuid() != 0)
        guard !allowed.isEmpty else { return }
        guard let words = manager.rebuild(allowed) else {
            throw .badRequest(
                "\(manager) cannot run the scripts of single packages", hint: "allow them in its settings")
        }
        try run(words, hasScripts: true)
    }

    /// Removes packages.
    func remove(_ names: [String]) throws(APIError) { try run(manager.remove(names), hasScripts: geteuid() != 0) }

    /// Takes the change.
    func commit() throws(APIError) { try stage.commit() }
    /// Puts back what was there before `commit`.
    func revert() throws(APIError) { try stage.revert(isCommitted: true) }
    /// Removes what was there before.
    func close() throws(APIError) { try stage.close() }

    private func run(_ words: [String], hasScripts: Bool) throws(APIError) {
        var program = PackageProgram(manager, words, in: work, environment)
        if !hasScripts { program.variables.merge(PackageManager.withoutScripts) { _, new in new } }
        let code = try program.run(output: STDERR_FILENO, lock: lock.raw)
        guard code != 0 else { return }
        throw APIError(
            500, "\(manager) \(words.first ?? "") failed with exit code \(code); the packages are as before",
            hint: "its messages are above")
    }
}

/// A package manager that runs as our child: it is found in PATH, and gets its words as they are.
struct PackageProgram {
    /// Its environment.
    var variables: [String: String]
    private let manager: PackageManager
    private let words: [String]
    private let directory: String

    init(_ manager: PackageManager, _ words: [String], in directory: String, _ variables: [String: String]) {
        (self.manager, self.words, self.directory, self.variables) = (manager, words, directory, variables)
    }

    /// Runs it; the exit code, or 128 and the number of the signal that ended it. What it writes goes to `output`, so that
    /// standard output has results only. The lock is its own too: it may outlive us.
    func run(output: Int32, lock: Int32) throws(APIError) -> Int32 {
        do throws(SystemError) {
            let nothing = try OwnedFD.open("/dev/null", O_RDWR)
            var child = ChildProcess(
                path: manager.rawValue, arguments: words, environment: variables.map { "\($0.key)=\($0.value)" })
            child.directory = directory
            child.descriptors = [nothing.raw, output, STDERR_FILENO, lock]
            let status = try ChildProcess.wait(for: try child.start())
            return status & 0x7F == 0 ? status >> 8 & 0xFF : 128 + status & 0x7F
        } catch  where error.code == ENOENT {
            throw .notFound("\(manager) is not in PATH", hint: "install \(manager), or set PATH")
        } catch {
            throw APIError(error, doing: "run \(manager)")
        }
    }
}
