import ArgumentParser
import Glibc
import JSON
import PMAPI
import PMConfig
import PMModel
import PMSystem

/// `pm init [FOLDER]`.
struct InitCommand: PMCommand {
    static let configuration = CommandConfiguration(
        commandName: "init", abstract: "Write a service that runs at once, and a configuration with it.",
        discussion: """
            `pm init` asks on a terminal for the name of the service and for its language, and writes into the folder what is \
            missing there: package.json, commands.json with the command hello, its file, and a .pm.config.json with the service. \
            No file that is there is changed, except that the service is added to the configuration. `pm init --yes` \
            asks nothing. In a folder whose package.json has a script start or a main file, `pm start .` is the right command.

            EXAMPLES
              pm init
              pm init ./greeter --typescript --yes
            """)

    @OptionGroup var global: GlobalOptions

    @Option(help: ArgumentHelp("The name of the service; without it that of the folder.", valueName: "name"))
    var name: String?

    @Flag(name: .customLong("typescript"), help: "Write TypeScript, which Node.js 22.18, 23.6 and newer versions run.")
    var isTypeScript = false

    @Flag(name: .shortAndLong, help: "Ask nothing.")
    var yes = false

    @Argument(help: "The folder, which need not exist.", completion: .directory)
    var folder = "."

    func execute(_ session: CommandContext) throws(APIError) -> ExitCode {
        let directory = Paths.resolve(folder, from: try session.workingDirectory())
        var plan = InitPlan(name: name ?? Self.name(for: directory), isTypeScript: isTypeScript)
        if !yes, session.terminal.canAsk { ask(&plan, session) }
        do throws(UnitName.Problem) {
            _ = try UnitName(plan.name)
        } catch {
            throw .badRequest("the name \(plan.name) \(error)", hint: "choose one with --name")
        }
        guard plan.name != "pm", plan.name != "all", !PM.words.contains(plan.name) else {
            throw .badRequest("\(plan.name) is a word of pm", hint: "choose another name with --name")
        }
        try refuse(directory, session)
        if plan.isTypeScript {
            let finder = ProgramFinder(path: session.environment["PATH"] ?? "", directory: directory)
            let entry = ProgramEntry(name: plan.name, path: "hello.ts", directory: directory)
            try TypeScriptCheck(finder: finder, environment: session.environment).require(entry)
        }
        let written = try write(plan, into: directory)
        try register(plan, in: directory)
        tell(plan, written, directory, session)
        return .success
    }

    private func ask(_ plan: inout InitPlan, _ session: CommandContext) {
        if name == nil {
            session.errors.write("name of the service [\(DisplayWidth.printable(plan.name))]: ")
            if let answer = session.readLine()?.trimmed, !answer.isEmpty { plan.name = answer }
        }
        guard !plan.isTypeScript else { return }
        session.errors.write("language, js or ts [js]: ")
        let answer = session.readLine()?.trimmed.lowercased() ?? ""
        plan.isTypeScript = ["ts", "typescript"].contains(answer)
    }

    /// A folder's name without what a name of a service cannot have.
    static func name(for directory: String) -> String {
        let plain = Paths.name(of: directory).filter { $0.isLetter || $0.isNumber || "._-".contains($0) }
        return plain.isEmpty || PM.words.contains(plain) || plain == "pm" ? "app" : plain
    }

    /// A package that can be started is not one to write commands into.
    private func refuse(_ directory: String, _ session: CommandContext) throws(APIError) {
        // A package.json that cannot be read stays as it is; the service does not need it.
        guard let bytes = try? Files.read(directory + "/package.json"), let package = try? JSONValue(parsing: bytes)
        else {
            return
        }
        let main = package["main"]?.string
        guard
            package["scripts"]?["start"]?.string != nil || main.map({ access("\(directory)/\($0)", F_OK) == 0 }) == true
        else { return }
        throw .conflict(
            "\(directory)/package.json says already how its program is started",
            hint: "pm start \(folder == "." ? "." : folder.shellWord) adds it to the configuration")
    }

    /// The names of the files that were not there.
    private func write(_ plan: InitPlan, into directory: String) throws(APIError) -> [String] {
        var written: [String] = []
        for file in plan.files {
            let path = "\(directory)/\(file.path)"
            do throws(SystemError) {
                try Files.makeDirectories(Paths.directory(of: path), mode: 0o755)
                guard try Files.entry(path) == nil else { continue }
                try Files.replace(path, with: Array(file.text.utf8))
                if chmod(path, 0o644) != 0 { throw .last("chmod", path) }
            } catch {
                throw APIError(error, doing: "write \(path)")
            }
            written.append(file.path)
        }
        return written
    }

    private func register(_ plan: InitPlan, in directory: String) throws(APIError) {
        let file = directory + "/" + DaemonLocation.configName
        do throws(ConfigError) {
            let store = try ConfigStore(path: file)
            let configuration = try store.loadOrCreate().configuration
            guard configuration.unit(plan.name) == nil else { return }
            let definition = ContainerDefinition(path: "./commands.json", isCommandable: true)
            try store.edit([
                .setContainer(plan.name, definition), .setMapping(plan.name, Mapping(container: plan.name)),
            ])
        } catch {
            throw APIError(error)
        }
    }

    private func tell(_ plan: InitPlan, _ written: [String], _ directory: String, _ session: CommandContext) {
        let files = written + [DaemonLocation.configName]
        if session.format == .json {
            let answer: JSONValue = [
                "name": .string(plan.name), "folder": .string(directory), "files": .array(files.map { .string($0) }),
            ]
            return session.output.line(answer.text)
        }
        for file in files { session.output.line(DisplayWidth.printable("\(directory)/\(file)")) }
        if folder != "." { session.note("cd \(directory.shellWord)") }
        let name = plan.name.shellWord
        session.note("pm start pm && pm start \(name.shellWord) -w starts the daemon and the service")
        session.note("pm \(name) hello World calls its command hello")
    }
}

/// The files of a new service.
struct InitPlan {
    var name: String
    var isTypeScript: Bool

    /// Paths below the folder and contents.
    var files: [(path: String, text: String)] {
        let ending = isTypeScript ? "ts" : "js"
        return [
            ("package.json", package), ("commands.json", commands(ending)),
            ("commands/hello.\(ending)", isTypeScript ? Self.typeScript : Self.javaScript),
        ]
    }

    private var package: String {
        let quoted = JSONValue.string(name).text
        return """
            {
              "name": \(quoted),
              "version": "0.1.0",
              "private": true,
              "type": "module"
            }

            """
    }

    private func commands(_ ending: String) -> String {
        """
        {
          "name": \(JSONValue.string(name).text),
          "commands": [
            {
              "name": "hello",
              "config": {
                "fs": { "path": "./commands/hello.\(ending)" },
                "": { "inject": ["params.0"] },
                "cli": { "usage": "hello [name]", "inject": ["params.0"] },
                "doc": { "description": "Says hello" }
              }
            }
          ]
        }

        """
    }

    private static let javaScript = """
        // Runs at each `pm NAME hello`: `inject` in commands.json says what the function gets.
        export default function hello(name = 'World') {
          return `Hello, ${name}!`;
        }

        """

    private static let typeScript = """
        // Runs at each `pm NAME hello`: `inject` in commands.json says what the function gets.
        export default function hello(name: string = 'World'): string {
          return `Hello, ${name}!`;
        }

        """
}

extension String {
    /// Without white space at both ends.
    fileprivate var trimmed: String {
        let rest = drop { $0.isWhitespace }
        return String(rest.reversed().drop { $0.isWhitespace }.reversed())
    }
}
