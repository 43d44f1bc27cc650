import ArgumentParser
import JSON
import PMAPI
import PMSystem

/// `pm do FILE`: a workflow, step by step.
struct DoCommand: PMCommand {
    static let configuration = CommandConfiguration(
        commandName: "do", abstract: "Run the steps of a workflow file in order, and print their results.",
        discussion: """
            The file is JSON: {"steps": [{"name": "…", "container": "@akala/pm", "command": "start", "args": \
            ["database"]}]}. The container @akala/pm, or pm, means the daemon; any other name means a service. The \
            workflow ends at the first step that fails, and pm exits with the exit code of that step.

            EXAMPLES
              pm do deploy.json
            """)

    @OptionGroup var global: GlobalOptions

    @Argument(help: "The workflow file.", completion: .file())
    var file: String

    func execute(_ session: CommandContext) throws(APIError) -> ExitCode {
        let workflow = try Workflow(text: read(), of: file)
        let client = try session.connect()
        for (number, step) in workflow.steps.enumerated() {
            let title = "step \(number + 1)" + (step.name.map { " (\($0))" } ?? "")
            do {
                show(try client.call(step.method, .array(step.arguments)), of: step, session)
            } catch {
                var report = error.report
                report.message = "\(title), \(step.method): \(report.message)"
                throw report
            }
        }
        return .success
    }

    private func read() throws(APIError) -> [UInt8] {
        do throws(SystemError) {
            return try Files.read(file)
        } catch {
            throw APIError(error.code == 2 ? 404 : 500, "cannot read the workflow file: \(error)")
        }
    }

    private func show(_ result: JSONValue, of step: Workflow.Step, _ session: CommandContext) {
        let name = step.name ?? step.method
        switch session.format {
        case .json:
            session.output.line((["name": .string(name), "result": result] as JSONValue).text)
        case .table:
            let text = result.isNull ? "done" : result.string ?? result.text
            session.output.line(DisplayWidth.printable("\(name): \(text)"))
        }
    }
}

/// The steps of a workflow file.
struct Workflow {
    /// One call of a workflow.
    struct Step {
        let name: String?
        let method: String
        let arguments: [JSONValue]
    }

    let steps: [Step]

    /// Reads all steps before the first one is made.
    init(text: [UInt8], of file: String) throws(APIError) {
        let json: JSONValue
        do throws(JSONError) {
            json = try JSONValue(parsing: text)
        } catch {
            throw .badRequest("\(file): \(error)")
        }
        guard let list = json["steps"]?.array ?? json.array else {
            throw .badRequest("\(file) has no list of \"steps\"")
        }
        var steps: [Step] = []
        for (number, step) in list.enumerated() { steps.append(try Self.step(step, "\(file), step \(number + 1)")) }
        self.steps = steps
    }

    private static let members: Set<String> = ["name", "container", "command", "args"]

    private static func step(_ json: JSONValue, _ place: String) throws(APIError) -> Step {
        guard let object = json.object else { throw .badRequest("\(place) must be an object") }
        for (key, _) in object where !members.contains(key) {
            throw .badRequest(
                "\(place): unknown key \(key)", hint: "the keys of a step are name, container, command and args")
        }
        guard let container = object["container"]?.string, !container.isEmpty else {
            throw .badRequest("\(place): \"container\" must be the name of a service, or @akala/pm")
        }
        guard let command = object["command"]?.string, !command.isEmpty else {
            throw .badRequest("\(place): \"command\" must be the name of a command")
        }
        guard let arguments = (object["args"] ?? []).array else {
            throw .badRequest("\(place): \"args\" must be a list")
        }
        let isDaemon = container == "@akala/pm" || container == "pm"
        return Step(
            name: object["name"]?.string, method: isDaemon ? command : "\(container).\(command)", arguments: arguments)
    }
}
