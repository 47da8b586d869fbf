import { Get, Post } from '@nestjs/common';
import type { Viewer } from '../../domain/permissions';
import { type SecondFactorSecret, SecondFactorService } from '../../features/users/second-factor.service';
import { UsersService } from '../../features/users/users.service';
import { CurrentViewer } from '../../http/viewer';
import { emptyForm, type FormState, page, redirect, type WebAnswer } from '../answers';
import { submit } from '../forms';
import { CurrentReader } from '../readers.service';
import type { Reader } from '../reader';
import { Form, type FormValues, WebController } from '../web-controller';
import { RecoveryCodesPage, SECOND_FACTOR, SecondFactorPage, SetUpSecondFactorPage } from './second-factor.page';

/**
 * The user's own second factor. The secret and the recovery codes are shown only in the answer to the POST that made
 * them; no GET returns them.
 */
@WebController('account/second-factor')
export class SecondFactorWebController {
  constructor(
    private readonly secondFactor: SecondFactorService,
    private readonly users: UsersService,
  ) {}

  @Get()
  show(@CurrentViewer() viewer: Viewer): Promise<WebAnswer> {
    return this.now(viewer);
  }

  @Post()
  begin(@CurrentViewer() viewer: Viewer, @CurrentReader() reader: Reader): Promise<WebAnswer> {
    return this.send(reader, viewer, async () => setUpPage(await this.secondFactor.begin(viewer)));
  }

  @Post('confirm')
  confirm(
    @CurrentViewer() viewer: Viewer,
    @CurrentReader() reader: Reader,
    @Form() { password = '', code = '' }: FormValues,
  ): Promise<WebAnswer> {
    const enable = async () => codesPage(await this.secondFactor.enable(viewer, { password, code }));
    return submit(reader, {}, enable, async (form) => {
      // The secret is not shown to somebody who does not know the password.
      const made = form.problems.password ? null : await this.secondFactor.begun(viewer);
      return made ? setUpPage(made, form) : this.now(viewer, form);
    });
  }

  @Post('recovery-codes')
  renewCodes(
    @CurrentViewer() viewer: Viewer,
    @CurrentReader() reader: Reader,
    @Form() { password = '', code = '' }: FormValues,
  ): Promise<WebAnswer> {
    return this.send(reader, viewer, async () =>
      codesPage(await this.secondFactor.renewCodes(viewer, { password, code })),
    );
  }

  @Post('off')
  disable(
    @CurrentViewer() viewer: Viewer,
    @CurrentReader() reader: Reader,
    @Form() { password = '', code = '' }: FormValues,
  ): Promise<WebAnswer> {
    return this.send(reader, viewer, async () => {
      await this.secondFactor.disable(viewer, { password, code });
      return redirect(SECOND_FACTOR, 'secondFactorOff');
    });
  }

  /** Errors are shown on the page of the second factor. */
  private send(reader: Reader, viewer: Viewer, work: () => Promise<WebAnswer>): Promise<WebAnswer> {
    return submit(reader, {}, work, (form) => this.now(viewer, form));
  }

  private async now(viewer: Viewer, form: FormState = emptyForm()): Promise<WebAnswer> {
    const [state, user] = await Promise.all([this.secondFactor.state(viewer), this.users.byId(viewer.userId)]);
    return page(
      (t) => t.secondFactor.title,
      <SecondFactorPage state={state} hasPassword={user.passwordHash !== null} form={form} />,
    );
  }
}

const setUpPage = (made: SecondFactorSecret, form?: FormState) =>
  page((t) => t.secondFactor.setUpTitle, <SetUpSecondFactorPage made={made} {...(form && { form })} />);

const codesPage = (codes: string[]) => page((t) => t.secondFactor.codes, <RecoveryCodesPage codes={codes} />);
