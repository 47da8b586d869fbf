import { Get, HttpCode, Post, Query } from '@nestjs/common';
import { accountEvents } from '../domain/codes';
import type { Viewer } from '../domain/permissions';
import { proofChecks, proofFaults, proofResults } from '../domain/proof';
import { AccountsService } from '../features/accounts/accounts.service';
import { ProofLetters, proofStates } from '../features/inbound/proof-letters.service';
import { PageDto } from './dto/list.dto';
import { Allows, CurrentViewer } from '../http/viewer';
import { ApiController } from './openapi/api-controller';
import { Operation } from './openapi/operation';
import { flag, id, listOf, nullable, oneOf, pageOf, part, said, Shape, text, time } from './openapi/shape';

const state = {
  state: oneOf(['open', 'waiting', 'parked']),
  reason: nullable(text),
  detail: nullable(text),
  retryAt: nullable(time),
  since: time,
};

class SmtpAccountAnswer extends Shape(state) {}

class SmtpAccountLogEntryAnswer extends Shape({
  id,
  createdAt: time,
  event: oneOf(accountEvents),
  reason: nullable(text),
  detail: nullable(text),
}) {}

class SmtpAccountDetailAnswer extends Shape({ ...state, log: pageOf(SmtpAccountLogEntryAnswer) }) {}

class ProofFindingAnswer extends Shape({
  check: oneOf(proofChecks),
  result: said('`unknown`: nobody can tell, for the reason that `fault` names.', oneOf(proofResults)),
  fault: nullable(oneOf(proofFaults)),
  found: said('What was found instead; empty if that says nothing.', text),
}) {}

class ProofAnswer extends Shape({
  id,
  createdAt: time,
  state: said(
    '`sent`: on its way; `lost`: not back after 15 minutes; `refused`: the mail server did not take it; `bounced`: a report came.',
    oneOf(proofStates),
  ),
  sentAt: nullable(time),
  returnedAt: nullable(time),
  response: said('What the mail server answered, or the report says.', nullable(text)),
  source: said('The way by which it came back.', nullable(text)),
  checks: said('Empty until it came back.', listOf(part(ProofFindingAnswer))),
  receivers: said('Authentication-Results, as they stand in the letter.', listOf(text)),
  isCurrent: said('Whether the settings are still those that it went out with.', flag),
}) {}

class LastProofAnswer extends Shape({ last: nullable(part(ProofAnswer)) }) {}

class ProofStartedAnswer extends Shape({ id }) {}

@ApiController('transport')
export class SmtpAccountController {
  constructor(
    private readonly accounts: AccountsService,
    private readonly proofs: ProofLetters,
  ) {}

  @Get()
  @Operation('The SMTP account: whether letters go out, why not, and what happened to it', SmtpAccountDetailAnswer)
  async get(@Query() query: PageDto) {
    return SmtpAccountDetailAnswer.of({ ...(await this.accounts.read()), log: await this.accounts.history(query) });
  }

  @Allows('account.prove')
  @Post('probe')
  @Operation(
    'Managers: send a proof letter, which shows what the relay does to letters when it comes back',
    ProofStartedAnswer,
    { conflicts: ['PROOF_NEEDS_ADDRESS'] },
  )
  @HttpCode(202)
  async prove(@CurrentViewer() viewer: Viewer) {
    return ProofStartedAnswer.of({ id: await this.proofs.start(viewer) });
  }

  @Allows('account.prove')
  @Get('probe')
  @Operation('Managers: the last proof letter, and what was found', LastProofAnswer)
  async proof(@CurrentViewer() viewer: Viewer) {
    return { last: await this.proofs.last(viewer) };
  }

  @Allows('account.resume')
  @Post('resume')
  @Operation('Admins: try a parked SMTP account anew', SmtpAccountAnswer)
  @HttpCode(200)
  async resume(@CurrentViewer() viewer: Viewer) {
    return SmtpAccountAnswer.of(await this.accounts.resume(viewer));
  }
}
