import Glibc

/// The gateway as a process.
public enum GatewayProcess {
    /// Serves until it is told to stop, and returns its exit code.
    ///
    /// Call it from a synchronous `main`, before there are threads.
    public static func main(_ arguments: [String]) -> Int32 {
        // A peer that has gone is an error of the write.
        signal(SIGPIPE, SIG_IGN)
        do throws(GatewayOptions.Problem) {
            let options = try GatewayOptions(arguments, in: currentDirectory())
            if options.wantsHelp {
                GatewayLog.write(GatewayOptions.help, to: STDOUT_FILENO)
                return 0
            }
            return serve(options)
        } catch {
            GatewayLog.write("pm-gateway: \(error)\n", to: STDERR_FILENO)
            return 64
        }
    }

    private static func serve(_ options: GatewayOptions) -> Int32 {
        // Before the first thread is made, so that none of them is interrupted: this thread waits for them.
        var signals = sigset_t()
        sigemptyset(&signals)
        for number in [SIGTERM, SIGINT, SIGHUP] { sigaddset(&signals, number) }
        pthread_sigmask(SIG_BLOCK, &signals, nil)
        let gateway: Gateway.Handle
        do {
            gateway = try Gateway.start(options)
        } catch {
            GatewayLog.write("pm-gateway: cannot start: \(error)\n", to: STDERR_FILENO)
            return 1
        }
        var number: Int32 = 0
        // A hang-up, of a terminal or by habit, changes nothing: what it would ask for is done by itself.
        repeat { sigwait(&signals, &number) } while number == SIGHUP
        gateway.stop()
        return 0
    }

    private static func currentDirectory() -> String {
        guard let path = getcwd(nil, 0) else { return "/" }
        defer { free(path) }
        return String(cString: path)
    }
}
