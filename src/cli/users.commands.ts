import { type Command, Option } from 'commander';
import { text } from 'node:stream/consumers';
import { randomBytes } from 'node:crypto';
import type { Role } from '../domain/permissions';
import { SecondFactorService } from '../features/users/second-factor.service';
import { TokensService } from '../features/users/tokens.service';
import { UsersService } from '../features/users/users.service';
import { OPERATOR, type Output, print, run } from './context';

interface UserOptions extends Output {
  email: string;
  role: Role;
  name?: string;
  passwordStdin?: boolean;
}

export function usersCommands(program: Command): void {
  program
    .command('create-user')
    .description('Creates a user who may sign in at once')
    .requiredOption('--email <address>', 'their address')
    .addOption(
      new Option('--role <role>', 'user, manager or admin').choices(['user', 'manager', 'admin']).makeOptionMandatory(),
    )
    .option('--name <name>', 'their full name')
    .option('--password-stdin', 'read the password from standard input; without it a password is made up and shown')
    .option('--json', 'print one JSON object')
    .action((options: UserOptions) =>
      run(options, async (app) => {
        const given = options.passwordStdin ? (await text(process.stdin)).replace(/\r?\n$/, '') : undefined;
        const password = given ?? randomBytes(15).toString('base64url');
        const user = await app
          .get(UsersService)
          .create({ email: options.email, role: options.role, fullName: options.name ?? '', password });
        const shown = given === undefined ? { password } : {};
        print(
          options,
          { id: user.id, email: user.email, role: user.role, ...shown },
          `User ${user.id} (${user.email}, ${user.role}) was created.` +
            (given === undefined ? `\nPassword, shown only now: ${password}` : ''),
        );
        return 0;
      }),
    );

  program
    .command('create-token')
    .description('Creates an API token for a user')
    .requiredOption('--email <address>', "the user's address")
    .requiredOption('--name <name>', 'what it is for')
    .option('--json', 'print one JSON object')
    .action((options: Output & { email: string; name: string }) =>
      run(options, async (app) => {
        const user = await app.get(UsersService).byEmail(options.email);
        const token = await app.get(TokensService).create(user.id, { name: options.name });
        print(options, { id: token.id, name: token.name, token: token.token }, token.token);
        return 0;
      }),
    );

  program
    .command('users')
    .description('Manage users')
    .command('reset-second-factor')
    .description('Takes the second factor from a user who lost it: the next sign-in asks for the password alone')
    .requiredOption('--email <address>', "the user's address")
    .option('--json', 'print one JSON object')
    .action((options: Output & { email: string }) =>
      run(options, async (app) => {
        const user = await app.get(UsersService).byEmail(options.email);
        await app.get(SecondFactorService).reset(OPERATOR, user.id);
        print(options, { id: user.id, email: user.email }, `The second factor of ${user.email} is reset.`);
        return 0;
      }),
    );
}
