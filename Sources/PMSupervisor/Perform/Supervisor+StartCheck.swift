import Glibc
public import PMModel
import PMSystem

extension Supervisor {
    /// Resolves a start as far as that is possible without a process: program, account, environment files, working
    /// directory and sandbox. Nothing is started or changed.
    ///
    /// - Throws: `SpawnFailure` with the reason why this start would fail.
    public func checkStart(of unit: Unit, _ options: RunOptions) throws(SpawnFailure) {
        var options = options
        // The port of an inspector is taken by the start itself.
        if unit.definition.runtime.isOfNode { options.inspection = .none }
        let launch = try resources.runtime.launch(unit, options)
        try checkDirectory(of: unit, launch)
        try checkProgram(of: unit, launch)
        try Confinement(resources.holder, user: resources.user).check(unit, launch)
    }

    /// The program that a start would run now, without an inspector. Nothing is started or changed.
    ///
    /// - Throws: `SpawnFailure` with the reason why there is none.
    public func launch(of unit: Unit, _ options: RunOptions) throws(SpawnFailure) -> Launch {
        var options = options
        options.inspection = .none
        return try resources.runtime.launch(unit, options)
    }

    private func checkDirectory(of unit: Unit, _ launch: Launch) throws(SpawnFailure) {
        let path = launch.invocation.directory
        let status: FileStatus?
        do throws(SystemError) {
            status = try Files.status(path)
        } catch {
            throw unit.failure(at: .directory, code: error.code, of: launch.invocation)
        }
        let code: Int32 =
            switch status?.kind {
            case .directory:
                // The rights of another user are checked by the start.
                launch.identity == nil && access(path, X_OK) != 0 ? EACCES : 0
            case nil: ENOENT
            case .file, .socket, .link, .other: ENOTDIR
            }
        if code != 0 { throw unit.failure(at: .directory, code: code, of: launch.invocation) }
    }

    private func checkProgram(of unit: Unit, _ launch: Launch) throws(SpawnFailure) {
        guard let program = Confinement.program(of: launch) else {
            let path = launch.invocation.executable
            let code = path.contains("/") && access(path, F_OK) == 0 ? EACCES : ENOENT
            throw unit.failure(at: .exec, code: code, of: launch.invocation)
        }
        // A program that pm may execute and not read is no script.
        guard case .script(let line, _)? = try? ProgramKind(ofFile: program) else { return }
        guard let interpreter = line.split(separator: " ").first, access(String(interpreter), X_OK) != 0 else { return }
        throw unit.failure(at: .exec, code: ENOENT, of: launch.invocation)
    }
}

extension Launch {
    /// The file that is executed, found in its own PATH; nil where there is none.
    @PMActor public var executable: String? { Confinement.program(of: self) }
}
