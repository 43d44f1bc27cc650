import Glibc
import PMGateway

exit(GatewayProcess.main(Array(CommandLine.arguments.dropFirst())))
