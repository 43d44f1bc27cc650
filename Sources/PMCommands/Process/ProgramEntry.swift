import Glibc
import JSON
import PMAPI
import PMModel
import PMSystem

/// A program on the disk as a service would run it: found from a file, a folder with package.json or commands.json, or a
/// program of `PATH`.
struct ProgramEntry: Equatable {
    /// The name for the service.
    var name: String
    /// The program's absolute path.
    var path: String
    /// Words before the arguments of the user: the script of an interpreter, `start` of npm.
    var words: [String] = []
    /// The absolute working directory.
    var directory: String
    /// True for a list of commands.
    var isCommandable = false
    /// The name by which the program was found in `PATH`, which is the same on other machines; nil: it has a path of its own.
    var nameInPath: String?
    /// True for a program that does nothing particular without its arguments: npm, python3.
    var isNamedByArguments = false

    /// Interpreters of scripts that are not executable themselves.
    private static let interpreters = [
        ".py": "python3", ".sh": "sh", ".bash": "bash", ".rb": "ruby", ".pl": "perl", ".php": "php",
    ]
    /// Programs whose name says nothing about the service.
    static let runners: Set<String> = ["npm", "npx", "yarn", "pnpm", "bun"]

    /// True for a word that can only be a file: `./app`, `/srv/app`, `app.js`.
    static func isFile(_ word: String) -> Bool {
        word.hasPrefix("./") || word.hasPrefix("../") || word.hasPrefix("/") || isScript(word)
            || interpreters.keys.contains { word.hasSuffix($0) }
    }

    private static func isScript(_ word: String) -> Bool {
        [".js", ".mjs", ".cjs", ".ts", ".mts", ".cts"].contains { word.hasSuffix($0) }
    }

    /// `api` for `/srv/api/commands.json` and for `/srv/api.js`.
    static func baseName(_ path: String) -> String {
        let file = Paths.name(of: path)
        let isMetadata = file == "commands.json" || file == "package.json"
        let name = isMetadata ? Paths.name(of: Paths.directory(of: path)) : file
        guard let dot = name.lastIndex(of: "."), dot != name.startIndex else { return name }
        return String(name[..<dot])
    }
}

/// Finds the program that a word of the command line means.
struct ProgramFinder {
    /// The directories of `PATH`, separated by colons.
    let path: String
    /// The absolute directory that relative words start from.
    let directory: String

    /// The program; nil when there is no such file and no such program.
    ///
    /// - Throws: a 400 for a file or folder that cannot be run.
    func entry(_ word: String, _ arguments: [String]) throws(APIError) -> ProgramEntry? {
        let file = Paths.resolve(word, from: directory)
        let isPath = word.utf8.contains(UInt8(ascii: "/"))
        if let status = try status(file), isPath || status.kind != .directory || isPackage(file) {
            return try entry(file, status)
        }
        guard !isPath, let program = program(word) else { return nil }
        var entry = ProgramEntry(name: name(word, arguments), path: program, directory: directory)
        (entry.nameInPath, entry.isNamedByArguments) = (word, true)
        return entry
    }

    private func status(_ file: String) throws(APIError) -> FileStatus? {
        do throws(SystemError) {
            return try Files.status(file)
        } catch {
            throw APIError(error, doing: "look at \(file)")
        }
    }

    /// The absolute path of a program of `PATH`.
    func program(_ word: String) -> String? {
        path.split(separator: ":").map { Paths.resolve("\($0)/\(word)", from: directory) }.first { candidate in
            // What cannot be looked at cannot be run.
            guard let status = try? Files.status(candidate) else { return false }
            return status.kind != .directory && status.isExecutable
        }
    }

    /// True for a folder that says how it is run.
    func isPackage(_ folder: String) -> Bool {
        access(folder + "/package.json", R_OK) == 0 || access(folder + "/commands.json", R_OK) == 0
    }

    /// A service is named after the script that an interpreter runs, and the folder in which npm does.
    private func name(_ word: String, _ arguments: [String]) -> String {
        if ProgramEntry.runners.contains(word) { return Paths.name(of: directory) }
        guard let script = arguments.first(where: { !$0.hasPrefix("-") }),
            access(Paths.resolve(script, from: directory), F_OK) == 0
        else { return word }
        return ProgramEntry.baseName(script)
    }

    private func entry(_ file: String, _ status: FileStatus) throws(APIError) -> ProgramEntry {
        if status.kind == .directory { return try folder(file) }
        let name = Paths.name(of: file)
        if name == "package.json" || name == "commands.json" { return try folder(Paths.directory(of: file)) }
        var entry = ProgramEntry(name: ProgramEntry.baseName(file), path: file, directory: directory)
        guard !status.isExecutable, let interpreter = try interpreter(of: file) else { return entry }
        let isAbsolute = interpreter[0].hasPrefix("/")
        guard let program = isAbsolute ? interpreter[0] : self.program(interpreter[0]) else {
            throw .notFound(
                "cannot run \(name): there is no \(interpreter[0]) in PATH (\(path))",
                hint: "install it, or set PATH to its directory")
        }
        entry.path = program
        entry.nameInPath = isAbsolute ? nil : interpreter[0]
        let isBelow = Paths.isInside(file, directory) && directory != "/"
        entry.words = interpreter.dropFirst() + [isBelow ? String(file.dropFirst(directory.count + 1)) : file]
        return entry
    }

    /// The program that runs a script which is not executable; nil: the daemon knows what to do with it.
    private func interpreter(of file: String) throws(APIError) -> [String]? {
        let kind: ProgramKind
        do throws(SystemError) {
            kind = try ProgramKind(ofFile: file)
        } catch {
            throw APIError(error, doing: "read \(file)")
        }
        if case .script(let line, _) = kind {
            var words = line.split(separator: " ").map(String.init)
            if words.first.map({ Paths.name(of: $0) }) == "env" { words.removeFirst() }
            guard let program = words.first, Paths.name(of: program) != "node" else { return nil }
            return words
        }
        return ProgramEntry.interpreter(of: file).map { [$0] }
    }

    private func folder(_ folder: String) throws(APIError) -> ProgramEntry {
        let name = Paths.name(of: folder)
        if access(folder + "/commands.json", R_OK) == 0 {
            return ProgramEntry(
                name: name, path: folder + "/commands.json", directory: folder, isCommandable: true)
        }
        guard access(folder + "/package.json", R_OK) == 0 else {
            throw .badRequest(
                "\(folder) is a folder without package.json and commands.json", hint: "name a file: pm start ./app.js")
        }
        let package: JSONValue
        do {
            package = try JSONValue(parsing: try Files.read(folder + "/package.json"))
        } catch {
            throw .badRequest("cannot read \(folder)/package.json: \(error)", hint: "name a file: pm start ./app.js")
        }
        let full = package["name"]?.string ?? name
        let own = full.split(separator: "/").last.map(String.init) ?? name
        if package["scripts"]?["start"]?.string != nil, let npm = program("npm") {
            return ProgramEntry(name: own, path: npm, words: ["start"], directory: folder, nameInPath: "npm")
        }
        let named = Paths.resolve(package["main"]?.string ?? "index.js", from: folder)
        guard let main = Self.mainFile(named) else {
            throw .badRequest(
                "the main file \(named) of \(folder)/package.json does not exist",
                hint: "name a file: pm start ./app.js")
        }
        return ProgramEntry(name: own, path: main, directory: folder)
    }

    /// The file of `main`, which Node finds without its extension, too, and in a folder as index.js (Node.js, Modules:
    /// CommonJS modules, "All together").
    private static func mainFile(_ named: String) -> String? {
        ["", ".js", ".json", ".node", "/index.js"].map { named + $0 }.first { candidate in
            // What cannot be looked at cannot be run.
            guard let status = try? Files.status(candidate) else { return false }
            return status.kind != .directory && access(candidate, R_OK) == 0
        }
    }
}

extension ProgramEntry {
    /// The usual interpreter of a script, by the end of its name.
    static func interpreter(of file: String) -> String? {
        interpreters.first { file.hasSuffix($0.key) }?.value
    }
}
