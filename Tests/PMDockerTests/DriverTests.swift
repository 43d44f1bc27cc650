import Glibc
import NIOPosix
import PMConfig
import Testing

@testable import PMDocker

@Suite struct DriverTests {
    /// A driver whose engine is nowhere.
    private func driver(_ threads: NIOThreadPool) throws -> Driver {
        let location = try EngineLocation("unix:///nowhere/engine.sock", runtimeDirectory: nil) { _ in false }
        let order = ContainerOrder(
            name: "web", owner: "jsonrpc+unix:///run/pm.sock", node: "/opt/pm/node", stopSignal: SIGTERM,
            killAfter: .seconds(10))
        let text = Array(#"{ "image": "here" }"#.utf8)
        return Driver(
            Driver.Parts(
                engine: Engine(location, on: MultiThreadedEventLoopGroup.singleton), order: order,
                configuration: try DockerConfiguration(path: "/srv/web.json", bytes: text),
                output: ContainerOutput(threads),
                links: .init(
                    folder: try #require(ChannelFolder(inner: "/run/user/7/pm-docker.a1B2c3/c")), hasChannel: false)))
    }

    @Test(arguments: [SIGTERM, SIGINT, SIGQUIT])
    func `a signal that comes before the container is asked for ends the driver`(signal: Int32) async throws {
        let driver = try driver(.singleton)
        await driver.signal(signal)
        #expect(await driver.run() == 128 + signal)
    }

    @Test func `without a signal the driver asks the engine, and says that there is none`() async throws {
        let driver = try driver(.singleton)
        await driver.signal(SIGWINCH)
        #expect(await driver.run() == EX_UNAVAILABLE)
    }
}
