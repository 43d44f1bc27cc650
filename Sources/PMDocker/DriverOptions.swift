import ArgumentParser
import Glibc
import PMConfig
import PMModel
import PMSystem

/// The command line of the driver.
struct DriverOptions: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "pm-docker", abstract: "Runs a service of pm in a container of a Docker engine.",
        discussion: """
            The daemon starts it, once for each service with the runtime docker, and it lives as long as the container: it
            passes on what the container writes, signals, and the channel to the daemon, and exits with its exit code.
            DOCKER_HOST=unix://PATH names the engine. A variable PM_ENV_NAME=VALUE is NAME=VALUE in the container, and
            PM_UNSET_NAME takes NAME out of what the image says.
            """,
        subcommands: [Run.self, Remove.self])

    /// `run`: one container.
    struct Run: ParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Runs a container to its end.")

        @Option(help: "The service's name.") var name: String
        @Option(help: "The URL of the socket of the daemon that owns the container.") var owner: String
        @Option(help: "The folder with pm's JavaScript, for containers with commands.") var node: String
        @Option(help: "The signal that asks the container to stop, before it is killed.") var stopSignal: Int32 =
            SIGTERM
        @Option(help: "Milliseconds from that signal to SIGKILL.") var killAfter: Int = 10_000
        @Option(help: "A user of the image, NAME[:GROUP].") var user: String?
        @OptionGroup(title: "Limits") var limits: LimitOptions
        @Argument(help: "A docker-config.json.") var file: String
        @Argument(help: "Arguments, appended to the command.") var arguments: [String] = []

        func validate() throws {
            guard (1...64).contains(stopSignal) else { throw ValidationError("\(stopSignal) is no signal.") }
            guard killAfter >= 0 else { throw ValidationError("--kill-after cannot be less than 0.") }
        }

        /// The order of the command line; `variables` is the environment of the driver.
        func order(_ variables: [(name: String, value: String)]) -> ContainerOrder {
            var order = ContainerOrder(
                name: name, owner: owner, node: node, stopSignal: stopSignal, killAfter: .milliseconds(killAfter))
            order.arguments = arguments
            order.user = user
            order.limits = ContainerLimits(
                memory: limits.memory, cpu: limits.cpu, pids: limits.pids, openFiles: limits.nofile,
                oomScoreAdjust: limits.oomScoreAdjust)
            order.environment = variables.compactMap { EnvironmentVariable(ofContainer: $0.name, $0.value) }
            return order
        }

        func run() throws {
            throw ExitCode(try DriverProcess(order(ProcessEnvironment.variables), file).run())
        }
    }

    /// The resources that the container may use.
    struct LimitOptions: ParsableArguments {
        @Option(help: "Bytes of memory.") var memory: Int?
        @Option(help: "Microseconds of processor time in each 100 milliseconds.") var cpu: Int?
        @Option(help: "Processes and threads.") var pids: Int?
        @Option(help: "Open files of each process.") var nofile: Int?
        @Option(help: "What is added to its score when the machine is out of memory.") var oomScoreAdjust: Int?
    }

    /// `remove`: containers that nobody attends to.
    struct Remove: ParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Removes containers whose driver is gone.")

        @Option(help: "The URL of the socket of the daemon that owns the containers.") var owner: String

        func run() throws {
            throw ExitCode(DriverProcess.remove(of: owner))
        }
    }
}

extension EnvironmentVariable {
    /// The container's variable that one of the driver stands for; nil for those of the driver itself.
    fileprivate init?(ofContainer name: String, _ value: String) {
        if name.hasPrefix(ContainerVariable.setPrefix) {
            self.init(name: String(name.dropFirst(ContainerVariable.setPrefix.count)), value: value)
        } else if name.hasPrefix(ContainerVariable.unsetPrefix) {
            self.init(name: String(name.dropFirst(ContainerVariable.unsetPrefix.count)), value: nil)
        } else {
            return nil
        }
    }
}
