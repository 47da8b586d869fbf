#!/usr/bin/env node
import 'reflect-metadata';
import { Command, CommanderError } from 'commander';
import { checkDomainCommand } from './cli/check-domain.command';
import { consentCommands } from './cli/consent.commands';
import { inboundCommands } from './cli/inbound.commands';
import { importClientsCommand } from './cli/import-clients.command';
import { operationsCommands } from './cli/operations.commands';
import { personsCommands } from './cli/persons.commands';
import { restoreCommands } from './cli/restore.commands';
import { scheduleCommand } from './cli/schedule.command';
import { sendMailingCommand } from './cli/send-mailing.command';
import { usersCommands } from './cli/users.commands';
import { version } from './config/version';

const program = new Command('gonets')
  .description('Gonets sends mailings and accounts for every letter')
  .version(version);
// Before the commands are added, because they inherit it.
program.exitOverride().showHelpAfterError();
sendMailingCommand(program);
scheduleCommand(program);
usersCommands(program);
importClientsCommand(program);
operationsCommands(program);
restoreCommands(program);
consentCommands(program);
checkDomainCommand(program);
personsCommands(program);
inboundCommands(program);

program.parseAsync().catch((error: unknown) => {
  if (error instanceof CommanderError) process.exit(error.exitCode === 0 ? 0 : 2);
  process.stderr.write(`${(error as Error).message}\n`);
  process.exit(1);
});
