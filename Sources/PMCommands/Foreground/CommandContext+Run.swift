import PMAPI
import PMClient
import PMConfig
import PMModel
import PMSystem

extension CommandContext {
    /// A planner for a program, with the configuration around; without a program it is the only service of the configuration.
    func runPlanner(_ program: String?, profile: String?) throws(APIError) -> RunPlanner {
        let locator = try locator()
        let location = try locator.location()
        var planner = RunPlanner(
            program: program ?? "", arguments: [], installation: try installation(), context: locator.context)
        planner.socketURL = target.socket ?? location?.socketURL
        if let location, location.hasConfigFile {
            planner.configuration = try configurationFile(location, values(profile))
            for problem in planner.configuration?.warnings.prefix(10) ?? [] { note(problem.withHint) }
        }
        if program == nil { planner.program = try onlyService(of: planner.configuration) }
        // What it says of other programs does not matter: nothing of it is used.
        if let location, planner.configuration?.configuration.unit(planner.program) != nil {
            try DaemonStart.requireTrust(location)
        }
        return planner
    }

    private func onlyService(of file: ConfigFile?) throws(APIError) -> String {
        let names = file?.configuration.unitNames.filter { $0 != "pm" } ?? []
        guard let first = names.first else {
            throw .notFound("there is no service here", hint: "name a file: pm dev ./app.js")
        }
        guard names.count == 1 else {
            let known = names.prefix(8).joined(separator: ", ") + (names.count > 8 ? ", ..." : "")
            throw .badRequest("there are \(names.count) services: name one", hint: "they are \(known)")
        }
        return first
    }

    private func installation() throws(APIError) -> Installation {
        do {
            return try Installation(environment: environment)
        } catch {
            throw APIError(error, doing: "find the programs of pm", hint: "set PM_LIBEXEC to their directory")
        }
    }

    private func configurationFile(_ location: DaemonLocation, _ values: ConfigValues) throws(APIError) -> ConfigFile {
        let bytes: [UInt8]
        do {
            bytes = try Files.read(location.configFile)
        } catch {
            throw APIError(error, doing: "read the configuration")
        }
        do {
            return try ConfigFile(path: location.configFile, bytes: bytes, values: values)
        } catch {
            throw APIError(error)
        }
    }
}
