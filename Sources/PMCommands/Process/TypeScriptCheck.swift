import Glibc
import PMAPI
import PMModel
import PMSystem

/// Whether Node runs TypeScript, which is asked when a TypeScript file becomes a service: otherwise its first start says only
/// that Node does not know the extension.
struct TypeScriptCheck {
    let finder: ProgramFinder
    let environment: [String: String]

    /// - Throws: a 400 for a TypeScript file that the Node of `PATH` does not run; a 404 without Node.
    func require(_ entry: ProgramEntry) throws(APIError) {
        guard [".ts", ".mts", ".cts"].contains(where: entry.path.hasSuffix) else { return }
        let name = Paths.name(of: entry.path)
        guard let node = finder.program("node") else {
            throw .notFound(
                "cannot run \(name): there is no node in PATH (\(finder.path))",
                hint: "install Node.js, or set PATH to the directory of node")
        }
        guard try !runsTypeScript(node) else { return }
        let file = entry.path.shellWord
        throw .badRequest(
            "cannot run \(name): \(node) runs no TypeScript",
            hint: "Node.js 22.18, 23.6 and newer versions do; a program that compiles it runs it, too: "
                + "pm start npx -- tsx \(file)")
    }

    /// `process.features.typescript` is false or missing where Node does not (Node.js, process.features).
    private func runsTypeScript(_ node: String) throws(APIError) -> Bool {
        let question = "process.exit(process.features.typescript ? 0 : 1)"
        let variables = environment.map { "\($0.key)=\($0.value)" }
        do throws(SystemError) {
            let child = ChildProcess(path: node, arguments: ["-e", question], environment: variables)
            return try ChildProcess.wait(for: try child.start()) == 0
        } catch {
            throw APIError(error, doing: "ask \(node) for its features")
        }
    }
}
